// A block of code: as it was typed, in colours when its language is known, and easy to copy.
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';

import { copyText } from '../copy-text';
import styles from './formatted.module.css';
import type { CodePart } from './highlight';
import { loadHighlight } from './load-highlight';

export function CodeBlock({ code, language }: { code: string; language: string }) {
  const [parts, setParts] = useState<CodePart[] | null>(null);
  const [copied, setCopied] = useState(false);
  const name = language.toLowerCase();

  useEffect(() => {
    if (name === '') return;
    let current = true;
    // Without colours it is as good to read.
    const colour = async () => {
      const { highlight } = await loadHighlight();
      if (current) setParts(highlight(code, name));
    };
    colour().catch(() => undefined);
    return () => {
      current = false;
    };
  }, [code, name]);

  return (
    <div className={styles.block} dir="ltr">
      {language !== '' && <span className={styles.language}>{language}</span>}
      <pre tabIndex={0} role="region" aria-label={name === '' ? 'Code' : `Code, ${name}`}>
        <code>{parts ? parts.map(coloured) : code}</code>
      </pre>
      <button type="button" className={styles.copy} onClick={() => void copyText(code).then(setCopied)}>
        {copied ? 'Copied' : 'Copy'}
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
