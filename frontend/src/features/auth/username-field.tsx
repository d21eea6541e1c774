import { TextField } from '@/components/ui/text-field';

interface UsernameFieldProps {
  value: string;
  onChange: (value: string) => void;
  error: string | null;
  hint?: string;
}

/** As phones and password managers need it: nothing is capitalised, corrected or translated. */
export function UsernameField(props: UsernameFieldProps) {
  return (
    <TextField
      label="Username"
      name="username"
      autoComplete="username"
      autoCapitalize="none"
      autoCorrect="off"
      spellCheck={false}
      translate="no"
      autoFocus
      required
      {...props}
    />
  );
}
