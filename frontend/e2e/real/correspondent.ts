// Somebody without a browser: an account of the real server that writes over REST.
import { expect, request } from '@playwright/test';
import type { APIRequestContext } from '@playwright/test';

import { PASSWORD } from './person';

export class Correspondent {
  readonly id: string;
  readonly name: string;
  readonly #api: APIRequestContext;

  private constructor(id: string, name: string, api: APIRequestContext) {
    this.id = id;
    this.name = name;
    this.#api = api;
  }

  static async register(baseURL: string, username: string, name: string): Promise<Correspondent> {
    const door = await request.newContext({ baseURL });
    const answer = await door.post('/api/v1/register', {
      data: { username, display_name: name, password: PASSWORD },
    });
    expect(answer.ok(), await answer.text()).toBe(true);
    const { user, token } = (await answer.json()) as { user: { id: string }; token: string };
    await door.dispose();
    const api = await request.newContext({ baseURL, extraHTTPHeaders: { authorization: `Bearer ${token}` } });
    return new Correspondent(user.id, name, api);
  }

  async write(to: string, body: string): Promise<void> {
    const answer = await this.#api.post(`/api/v1/users/${to}/messages`, { data: { body } });
    expect(answer.status(), await answer.text()).toBe(202);
  }

  /** In a room that they are in. */
  async say(room: string, body: string, more: object = {}): Promise<number> {
    const data = { body, ...more };
    const answer = await this.#api.post(`/api/v1/conversations/${room}/messages`, { data });
    expect(answer.status(), await answer.text()).toBe(202);
    return ((await answer.json()) as { position: number }).position;
  }

  /** Other words for it. */
  async edit(room: string, position: number, body: string, more: object = {}): Promise<void> {
    const data = { body, ...more };
    const answer = await this.#api.patch(`/api/v1/conversations/${room}/messages/${position}`, { data });
    expect(answer.ok(), await answer.text()).toBe(true);
  }

  async delete(room: string, position: number): Promise<void> {
    const answer = await this.#api.delete(`/api/v1/conversations/${room}/messages/${position}`);
    expect(answer.ok(), await answer.text()).toBe(true);
  }

  async react(room: string, position: number, emoji: string): Promise<void> {
    const path = `/api/v1/conversations/${room}/messages/${position}/reactions/${encodeURIComponent(emoji)}`;
    const answer = await this.#api.put(path);
    expect(answer.ok(), await answer.text()).toBe(true);
  }

  async read(room: string, position: number): Promise<void> {
    const answer = await this.#api.put(`/api/v1/conversations/${room}/read`, { data: { position } });
    expect(answer.ok(), await answer.text()).toBe(true);
  }

  /** Where the newest message stands. */
  async newest(room: string): Promise<number> {
    const answer = await this.#api.get(`/api/v1/conversations/${room}/messages?limit=1`);
    expect(answer.ok(), await answer.text()).toBe(true);
    return ((await answer.json()) as { messages: { position: number }[] }).messages[0]!.position;
  }

  /** A public one, of their own. */
  async makeRoom(title: string): Promise<string> {
    const data = { client_id: `room-${title}`, handle: title.toLowerCase(), title };
    const answer = await this.#api.post('/api/v1/rooms', { data });
    expect(answer.status(), await answer.text()).toBe(201);
    return ((await answer.json()) as { room: { id: string } }).room.id;
  }

  async join(room: string): Promise<void> {
    const answer = await this.#api.post(`/api/v1/rooms/${room}/join`);
    expect(answer.ok(), await answer.text()).toBe(true);
  }

  async rename(name: string): Promise<void> {
    const answer = await this.#api.patch('/api/v1/me', { data: { display_name: name } });
    expect(answer.ok(), await answer.text()).toBe(true);
  }

  async dispose(): Promise<void> {
    await this.#api.dispose();
  }
}
