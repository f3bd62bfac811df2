import { Module } from '@nestjs/common';
import { DiffController } from './diff.controller.js';
import { ReleasesController } from './releases.controller.js';

@Module({ controllers: [ReleasesController, DiffController] })
export class ReleasesModule {}
