import { Controller, Get, Param } from '@nestjs/common';
import { LakeError } from '#errors';
import { problemTypes, type ProblemType } from '../edge/problem-type.js';
import { Needs } from '../edge/scope.js';

/** What the `type` of a problem leads to. */
@Controller('problems')
export class ProblemsController {
  @Get(':code')
  @Needs('public')
  describe(@Param('code') code: string): ProblemType & { readonly code: string } {
    const type = Object.hasOwn(problemTypes, code) ? problemTypes[code] : undefined;
    if (type === undefined) throw new LakeError('request.not_found', 'notFound', 'There is no such problem.');
    return { code, ...type };
  }
}
