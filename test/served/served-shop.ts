import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Shop } from '../run/shop.js';

interface GraphqlAnswer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly unknown[];
}

/** The api as a process of its own, over the lake of a shop. */
export class ServedShop {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(shop: Shop): Promise<ServedShop> {
    const child = fork(resolve('dist/apps/api/main.js'), [], {
      cwd: shop.folder,
      env: { ...process.env, PORT: '0', LOG_LEVEL: 'warn' },
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const url = await new Promise<string>((ready, failed) => {
      child.once('message', (message: { readonly url: string }) => ready(message.url));
      child.once('exit', (code) => failed(new Error(`the api ended with ${code}`)));
    });
    return new ServedShop(child, url);
  }

  async text(path: string): Promise<string> {
    const response = await fetch(this.url + path);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
    return text;
  }

  /** The data of an operation. */
  async graphql(operation: { readonly query: string; readonly variables?: object }) {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(operation),
    });
    const { data, errors } = (await response.json()) as GraphqlAnswer;
    if (errors !== undefined || data === undefined || data === null) {
      throw new Error(`${JSON.stringify(operation)} answered ${JSON.stringify(errors)}`);
    }
    return data;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}
