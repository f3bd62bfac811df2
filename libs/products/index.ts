export { shopCatalogue } from './shop-catalogue.js';
