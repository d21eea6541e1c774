// A person with a browser of their own, doing what people do.
import { expect } from '@playwright/test';
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  Locator,
  Page,
  WebSocketRoute,
} from '@playwright/test';

export const PASSWORD = 'correct horse battery';

export class PersonAtBrowser {
  readonly complaints: string[] = [];
  /** As the server knows them, once they are registered. */
  id = '';
  /** The live connection of the page, and whether another one gets through. */
  #socket: WebSocketRoute | null = null;
  #cut = false;
  readonly name: string;
  readonly context: BrowserContext;
  readonly page: Page;

  private constructor(name: string, context: BrowserContext, page: Page) {
    this.name = name;
    this.context = context;
    this.page = page;
  }

  static async open(
    browser: Browser,
    baseURL: string,
    name: string,
    options: BrowserContextOptions = {},
  ): Promise<PersonAtBrowser> {
    const context = await browser.newContext({ baseURL, ...options });
    const person = new PersonAtBrowser(name, context, await context.newPage());
    await person.page.routeWebSocket('**/ws', (socket) => {
      if (person.#cut) return void socket.close({ code: 4000 });
      person.#socket = socket;
      socket.connectToServer();
    });
    person.page.on('pageerror', (error) => person.complaints.push(error.message));
    person.page.on('console', (message) => {
      const text = message.text();
      // The browser itself reports each request and socket that a dead server does not answer.
      const expected = /Failed to load resource|WebSocket connection to/.test(text);
      if (message.type() === 'error' && !expected) person.complaints.push(text);
    });
    return person;
  }

  async register(username: string): Promise<void> {
    await this.page.goto('/register');
    await this.page.getByLabel('Username').fill(username);
    await this.page.getByLabel('Name (optional)').fill(this.name);
    await this.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await this.page.getByRole('button', { name: 'Create account' }).click();
    await expect(this.page.getByLabel('Your menu')).toBeVisible();
    const me = await this.context.request.get('/api/v1/me');
    this.id = ((await me.json()) as { id: string }).id;
  }

  /** The same person on another device: what they do there over REST. */
  async elsewhere(method: string, path: string, data?: object): Promise<Record<string, unknown>> {
    const headers = { origin: new URL(this.page.url()).origin };
    const answer = await this.context.request.fetch(`/api/v1/${path}`, { method, headers, data });
    expect(answer.ok(), await answer.text()).toBe(true);
    return (answer.status() === 204 ? {} : await answer.json()) as Record<string, unknown>;
  }

  /** The network between this person and the server is gone. */
  async cutLine(): Promise<void> {
    this.#cut = true;
    await this.#socket?.close({ code: 4000 });
  }

  mendLine(): void {
    this.#cut = false;
  }

  async find(query: string, name: string): Promise<void> {
    await this.page.getByLabel('Find people').fill(query);
    await this.page.getByRole('option', { name }).click();
    await expect(this.page.getByRole('heading', { name, exact: true })).toBeVisible();
  }

  async write(text: string): Promise<void> {
    await this.page.getByRole('textbox', { name: /^Message to/ }).fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Writes, and waits until the server has it. */
  async send(text: string): Promise<void> {
    await this.write(text);
    await expect(this.bubble(text)).toHaveAttribute('data-state', 'accepted');
  }

  bubble(text: string): Locator {
    return this.page.getByTestId('message').filter({ hasText: text });
  }

  /** A line that tells of what happened in the room. */
  quiet(text: string | RegExp): Locator {
    return this.page.getByTestId('quiet-line').filter({ hasText: text });
  }

  /** Of the conversation list. */
  row(name: string): Locator {
    return this.page.getByRole('navigation', { name: 'Conversations' }).getByRole('link', { name });
  }

  get banner(): Locator {
    return this.page.getByTestId('connection-banner');
  }

  get log(): Locator {
    return this.page.getByRole('log');
  }

  /** The texts in the document that begin with this, from above. */
  async texts(prefix: string): Promise<string[]> {
    const all = await this.page.getByTestId('message').locator('[dir=auto]').allTextContents();
    return all.filter((text) => text.startsWith(prefix));
  }
}
