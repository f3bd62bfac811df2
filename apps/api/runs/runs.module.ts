import { Module } from '@nestjs/common';
import { PlansController } from './plans.controller.js';
import { RunsController } from './runs.controller.js';

@Module({ controllers: [RunsController, PlansController] })
export class RunsModule {}
