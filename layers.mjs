/** Who may import whom, besides `errors`, which everybody may. ESLint and dependency-cruiser both read this table. */
export const layers = {
  errors: [],
  storage: ['errors'],
  contracts: ['errors'],
  demo: ['errors'],
  delta: ['errors', 'storage'],
  products: ['errors', 'contracts'],
  engine: ['errors', 'storage', 'delta'],
  releases: ['errors', 'storage', 'delta'],
  serving: ['errors', 'storage', 'contracts', 'delta', 'engine', 'releases'],
  pipeline: ['errors', 'storage', 'contracts', 'products', 'delta', 'engine', 'releases'],
  platform: ['errors', 'storage', 'contracts', 'products', 'delta', 'engine', 'releases', 'serving', 'pipeline'],
};
