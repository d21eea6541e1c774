// The colours of code are fetched with the first block that names its language.
import { loadOnce } from '@/lib/loading/load-once';

export const loadHighlight = loadOnce(() => import('./highlight'));
