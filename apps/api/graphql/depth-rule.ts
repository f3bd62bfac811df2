import { GraphQLError, type ASTVisitor, type ValidationContext } from 'graphql';

/** Selections within selections. Tools ask for the schema with fourteen. */
const MAX_DEPTH = 20;

/** How the message begins. */
export const TOO_DEEP = `Selections nest at most ${MAX_DEPTH} deep`;

/** Refuses documents that nest deeper than any question needs, whether their fields exist or not. */
export function depthRule(context: ValidationContext): ASTVisitor {
  let depth = 0;
  return {
    SelectionSet: {
      enter(node) {
        depth += 1;
        if (depth !== MAX_DEPTH + 1) return;
        context.reportError(new GraphQLError(`${TOO_DEEP}.`, { nodes: node }));
      },
      leave() {
        depth -= 1;
      },
    },
  };
}
