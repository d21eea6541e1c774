import { PASSWORD_MIN_CHARS } from '@/config/limits';

import { TextField } from './text-field';

interface PasswordFieldProps {
  /** One that exists, or one that is being chosen: it has a rule, and password managers offer one. */
  kind: 'current' | 'new';
  label?: string;
  name?: string;
  value: string;
  onChange: (value: string) => void;
  error: string | null;
}

export function PasswordField({ kind, ...field }: PasswordFieldProps) {
  const rule = field.value === '' ? `At least ${PASSWORD_MIN_CHARS} characters.` : 'Good.';
  return (
    <TextField
      label="Password"
      name="password"
      type="password"
      autoComplete={`${kind}-password`}
      required
      hint={kind === 'new' ? rule : undefined}
      {...field}
    />
  );
}
