// All that a page keeps in the browser, and all that it shows, as one text to be searched.
import type { Page } from '@playwright/test';

export function kept(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const done = <T>(asked: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = () => reject(new Error('not read'));
      });
    const rows: string[] = [];
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name));
      for (const store of database.objectStoreNames)
        rows.push(JSON.stringify(await done(database.transaction(store).objectStore(store).getAll())));
      database.close();
    }
    const cached = typeof caches === 'undefined' ? [] : await caches.keys();
    const fields = [...document.querySelectorAll<HTMLTextAreaElement>('input, textarea')].map(
      ({ value }) => value,
    );
    return [
      ...rows,
      ...cached,
      JSON.stringify(localStorage),
      JSON.stringify(sessionStorage),
      JSON.stringify(history.state),
      document.title,
      ...fields,
      document.documentElement.outerHTML,
    ].join('\n');
  });
}
