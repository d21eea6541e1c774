// What is told of messages beside their words, with the real program and typed key by key: who is named, who
// reacted, who has read them, what they said before, and what is pinned. On a wide screen and on a phone.
import { expect, test } from '@playwright/test';

import { look } from './fake/look';
import { Correspondent } from './real/correspondent';
import { MilenaServer } from './real/milena-server';
import { PersonAtBrowser } from './real/person';

const SETTINGS = { MILENA__CHAT__KEEP_EDITS: 'true', MILENA__CHAT__EDIT_LIMIT_SECONDS: '3600' };

for (const [width, height] of [
  [1280, 800],
  [390, 844],
] as const)
  test.describe(`at ${width}`, () => {
    test.describe.configure({ mode: 'serial' });
    const server = new MilenaServer(SETTINGS);
    let anna: PersonAtBrowser;
    let ben: PersonAtBrowser;
    let carol: Correspondent;
    let dora: Correspondent;
    let room = '';
    const narrow = width < 800;

    const composer = ({ page }: PersonAtBrowser) =>
      page.getByRole('textbox', { name: /^(Message to|Edit your)/ });
    const inRoom = async (person: PersonAtBrowser) => {
      await person.page.goto(`/c/${room}`);
      await expect(composer(person)).toBeVisible();
    };
    const sheet = async (person: PersonAtBrowser, text: string) => {
      await person.bubble(text).last().focus();
      await person.page.keyboard.press('Enter');
      return person.page.getByRole('dialog', { name: 'Message' });
    };
    const looks = async (person: PersonAtBrowser, name: string) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await person.page.emulateMedia({ colorScheme });
        await look(person.page, `lists-${name}`);
      }
      await person.page.emulateMedia({ colorScheme: null });
    };

    test.beforeAll(async ({ browser }) => {
      await server.start();
      const viewport = { width, height };
      anna = await PersonAtBrowser.open(browser, server.url, 'Anna Karenina', { viewport });
      ben = await PersonAtBrowser.open(browser, server.url, 'Ben 本', { viewport });
      await anna.register('anna');
      await ben.register('ben');
      carol = await Correspondent.register(server.url, 'carol', 'Carol');
      dora = await Correspondent.register(server.url, 'dora', 'Dora');
      const data = { client_id: 'trams', handle: 'trams', title: 'Trams', members: [ben.id, carol.id] };
      room = ((await anna.elsewhere('POST', 'rooms', data)).room as { id: string }).id;
    });

    test.afterAll(async () => {
      // First: it must end also where nobody got as far as registering.
      await server.dispose();
      await carol.dispose();
      await dora.dispose();
    });

    test('what names one is counted apart, and found in a list', async () => {
      await expect(ben.row('Trams')).toBeVisible();
      await carol.say(room, 'The timetable is new.');
      await carol.say(room, `<@${ben.id}>, is that your tram?`, { mentions: [ben.id] });
      await carol.say(room, 'Nobody else would know.');
      await expect(ben.row('Trams')).toContainText('3 unread');
      await expect(ben.row('Trams')).toContainText('one names you');
      await expect(ben.page.getByRole('link', { name: 'Mentions, 1 unread' })).toBeVisible();
      await looks(ben, 'unread');
      await ben.page.keyboard.press('Control+Shift+M');
      const list = ben.page.getByRole('main').getByRole('listitem');
      await expect(list).toHaveCount(1);
      await expect(list).toContainText('@Ben 本, is that your tram?');
      await expect(list).toContainText('New');
      await looks(ben, 'mentions');
      await list.getByRole('link', { name: 'Show in conversation' }).press('Enter');
      await expect(ben.bubble('is that your tram?')).toBeInViewport();
      await expect.poll(() => ben.elsewhere('GET', `conversations/${room}`)).toMatchObject({ unread: 0 });
      // Elsewhere he would read what comes.
      await ben.page.goto('/');
      await expect(ben.row('Trams')).not.toContainText('names you');
      await expect(ben.row('Trams')).not.toContainText('unread');
    });

    test('whoever is named and not there is offered to be added', async () => {
      await inRoom(anna);
      await composer(anna).pressSequentially('Ask @dor');
      await expect(anna.page.getByRole('option', { name: /Dora.*not in this room/ })).toBeVisible();
      await anna.page.keyboard.press('Tab');
      await anna.page.keyboard.type('or @be');
      await expect(anna.page.getByRole('option', { name: /Ben 本/ })).toBeVisible();
      await anna.page.keyboard.press('Tab');
      await anna.page.keyboard.press('Enter');
      const note = anna.page.getByTestId('absent');
      await expect(note).toContainText('Dora is not in this room, and is not told.');
      await looks(anna, 'absent');
      await note.getByRole('button', { name: 'Add to the room' }).click();
      await expect(note).toHaveCount(0);
      await expect(anna.quiet('You added Dora')).toBeVisible();
      await expect(ben.row('Trams')).toContainText('one names you');
      await dora.say(room, 'Here I am.');
      await expect(anna.bubble('Here I am.')).toBeVisible();
    });

    test('who has read it is counted and named, but for those who do not show it', async () => {
      const by = anna.page.getByRole('button', { name: /^Read by/ });
      await composer(anna).pressSequentially('Platform two, half past nine.');
      await anna.page.keyboard.press('Enter');
      await expect(anna.bubble('Platform two')).toHaveAttribute('data-state', 'accepted');
      await inRoom(ben);
      await expect(ben.bubble('Platform two')).toBeInViewport();
      await expect(by).toHaveText('Read by 1');
      const newest = await dora.newest(room);
      await dora.read(room, newest);
      await expect(by).toHaveText('Read by 2');
      await carol.read(room, newest);
      await expect(by).toHaveText('Read by all');
      await by.press('Enter');
      const readers = anna.page.getByRole('dialog', { name: 'Read by' });
      await expect(readers.getByRole('listitem')).toHaveCount(3);
      await expect(readers).toContainText('Ben 本');
      await looks(anna, 'read-by');
      await anna.page.keyboard.press('Escape');

      await ben.page.keyboard.press('Control+,');
      const choice = ben.page.getByRole('switch', { name: 'Show others what I have read' });
      await expect(choice).toBeChecked();
      await choice.press('Space');
      await expect(choice).not.toBeChecked();
      await inRoom(ben);
      await composer(anna).pressSequentially('Or was it ten?');
      await anna.page.keyboard.press('Enter');
      await expect(ben.bubble('Or was it ten?')).toBeInViewport();
      await carol.read(room, await carol.newest(room));
      // Carol's mark came after Ben's would have.
      await expect(by).toHaveText('Read by 1');
      await by.press('Enter');
      await expect(readers.getByRole('listitem')).toHaveText([/Carol/]);
      await anna.page.keyboard.press('Escape');
      // He does not see it of others either.
      await ben.send('It was nine.');
      await expect(anna.bubble('It was nine.')).toBeInViewport();
      await carol.read(room, await carol.newest(room));
      await expect(ben.page.getByRole('button', { name: /^Read by/ })).toHaveCount(0);
    });

    test('who reacted is named in a sheet', async () => {
      await carol.react(room, await carol.newest(room), '❤️');
      await expect(anna.page.getByRole('button', { name: '❤️ 1: Carol' })).toBeVisible();
      await (await sheet(anna, 'It was nine')).getByRole('button', { name: '❤️' }).press('Enter');
      await expect(ben.page.getByRole('button', { name: /^❤️ 2: Carol and Anna/ })).toBeVisible();
      await (await sheet(ben, 'It was nine')).getByRole('button', { name: 'Who reacted' }).press('Enter');
      const who = ben.page.getByRole('dialog', { name: 'Who reacted' });
      await expect(who.getByRole('listitem')).toHaveText([/Carol/, /Anna Karenina/]);
      await looks(ben, 'reactors');
      await ben.page.keyboard.press('Escape');
      await expect(ben.bubble('It was nine')).toBeFocused();
    });

    test('an edit says until when, and what it said before is for its author and owners', async () => {
      await composer(ben).focus();
      await ben.page.keyboard.press('ArrowUp');
      await expect(ben.page.getByTestId('writing')).toContainText(/Can be saved until \d\d:\d\d/);
      await looks(ben, 'edit-until');
      await ben.page.keyboard.press('End');
      for (let letter = 0; letter < 5; letter += 1) await ben.page.keyboard.press('Backspace');
      await ben.page.keyboard.type('ten.');
      await ben.page.keyboard.press('Enter');
      await expect(anna.bubble('It was ten.')).toContainText('(edited)');
      for (const person of [ben, anna]) {
        const entry = (await sheet(person, 'It was ten.')).getByRole('button', { name: 'Earlier versions' });
        await entry.press('Enter');
        const versions = person.page.getByRole('dialog', { name: 'Earlier versions' });
        await expect(versions.getByRole('listitem')).toHaveText([/It was ten\./, /It was nine\./]);
        await looks(person, 'edits');
        await person.page.keyboard.press('Escape');
      }
      // Neither its author nor an owner.
      const own = await sheet(ben, 'Or was it ten?');
      await expect(own.getByRole('button', { name: 'Copy text' })).toBeVisible();
      await expect(own.getByRole('button', { name: 'Earlier versions' })).toHaveCount(0);
      await ben.page.keyboard.press('Escape');
    });

    test('what is pinned is found beside the conversation, until somebody unpins it', async () => {
      await (
        await sheet(ben, 'Platform two')
      )
        .getByRole('button', { name: 'Pin', exact: true })
        .press('Enter');
      await expect(anna.quiet('Ben 本 pinned a message')).toBeVisible();
      await anna.page.getByRole('button', { name: 'Pinned messages' }).press('Enter');
      const pins = anna.page.getByRole('complementary', { name: 'Pinned messages' });
      await expect(pins.getByRole('listitem')).toContainText('Platform two, half past nine.');
      await looks(anna, 'pins');
      await pins.getByRole('link', { name: 'Show in conversation' }).press('Enter');
      await expect(anna.bubble('Platform two')).toBeInViewport();
      if (narrow) await anna.page.getByRole('button', { name: 'Pinned messages' }).press('Enter');
      await pins.getByRole('button', { name: 'Unpin' }).press('Enter');
      await expect(pins).toContainText('Nothing is pinned here');
      await expect(ben.quiet('Anna Karenina unpinned a message')).toBeVisible();
    });

    test('the pages had nothing to complain about', () => {
      expect(anna.complaints).toEqual([]);
      expect(ben.complaints).toEqual([]);
    });
  });
