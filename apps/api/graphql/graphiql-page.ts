export function graphiqlPage(): string {
  return '<!doctype html><title>GraphQL</title>';
}
