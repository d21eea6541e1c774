// A block of code: as it was typed, in colours when its language is known, and easy to copy.
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';

import { copyText } from '@/lib/clipboard/copy-text';
import { colourQueue } from './colours';
import styles from './formatted.module.css';
import type { CodePart } from './highlight';

export function CodeBlock({ code, language }: { code: string; language: string }) {
  const [parts, setParts] = useState<CodePart[] | null>(null);
  const [copied, setCopied] = useState<boolean | null>(null);
  const name = language.toLowerCase();

  useEffect(() => {
    if (name === '') return;
    const gone = new AbortController();
    // Without colours it is as good to read.
    void colourQueue.colours(code, name, gone.signal).then((colours) => {
      if (!gone.signal.aborted) setParts(colours);
    });
    return () => gone.abort();
  }, [code, name]);

  return (
    <div className={styles.block} dir="ltr">
      {language !== '' && <span className={styles.language}>{language}</span>}
      <pre tabIndex={0} role="region" aria-label={name === '' ? 'Code' : `Code, ${name}`}>
        <code>{parts ? parts.map(coloured) : code}</code>
      </pre>
      <button type="button" className={styles.copy} onClick={() => void copyText(code).then(setCopied)}>
        {copied === null ? 'Copy' : copied ? 'Copied' : 'Not copied'}
      </button>
    </div>
  );
}

function coloured(part: CodePart, key: number): ReactNode {
  if (typeof part === 'string') return part;
  return (
    <span key={key} data-kind={part.kind}>
      {part.parts.map(coloured)}
    </span>
  );
}
