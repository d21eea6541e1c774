import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import '@/app/fonts.css';
import '@/app/tokens.css';
import '@/app/base.css';

import { App } from '@/app/app';
import { appBuild } from '@/lib/app-build/app-build';
import { applyTheme } from '@/lib/theme/theme';

applyTheme();
// The development server's files change all the time. Elsewhere than in a secure place there is none.
if (import.meta.env.PROD && 'serviceWorker' in navigator) appBuild.start(navigator.serviceWorker);
const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
