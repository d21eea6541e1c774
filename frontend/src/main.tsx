import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import '@/app/fonts.css';
import '@/app/tokens.css';
import '@/app/base.css';

import { App } from '@/app/app';
import { applyTheme } from '@/lib/theme/theme';

applyTheme();
const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
