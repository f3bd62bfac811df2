import { GraphQLError, type ASTVisitor, type ValidationContext } from 'graphql';

/** Refuses operations of a kind that the schema does not have; GraphQL itself sees them only when they run. */
export function kindRule(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(node) {
      if (context.getSchema().getRootType(node.operation) != null) return;
      context.reportError(new GraphQLError(`There is no ${node.operation} in this schema.`, { nodes: node }));
    },
  };
}
