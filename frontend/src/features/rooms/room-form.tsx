// The fields of a room, where it is made and where it is changed.
import { TextField } from '@/components/ui/text-field';
import { HANDLE_MAX_CHARS, TITLE_MAX_CHARS, TOPIC_MAX_CHARS } from '@/config/limits';
import { handleError, titleError, topicError } from '@/lib/forms/room-rules';

interface FieldProps {
  value: string;
  /** What the server says of it. */
  error: string | undefined;
  onChange: (value: string) => void;
}

/** What is empty is not called wrong before somebody has been there. */
export function TitleField({ value, error, onChange }: FieldProps) {
  return (
    <TextField
      label="Name"
      name="title"
      autoComplete="off"
      dir="auto"
      hint={`What people read in the list. At most ${TITLE_MAX_CHARS} characters.`}
      value={value}
      onChange={onChange}
      error={error ?? (value === '' ? null : titleError(value))}
    />
  );
}

export function HandleField({ value, error, onChange }: FieldProps) {
  return (
    <TextField
      label="Address"
      name="handle"
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      hint={
        value === ''
          ? `In links: small letters, digits, dots and dashes, at most ${HANDLE_MAX_CHARS}.`
          : `${window.location.host}/r/${value}`
      }
      value={value}
      onChange={(text) => onChange(text.toLowerCase().replace(/^#|\s/g, ''))}
      error={error ?? (value === '' ? null : handleError(value))}
    />
  );
}

export function TopicField({ value, error, onChange }: FieldProps) {
  return (
    <TextField
      label="Topic (optional)"
      name="topic"
      autoComplete="off"
      dir="auto"
      hint={`What it is about. At most ${TOPIC_MAX_CHARS} characters.`}
      value={value}
      onChange={onChange}
      error={error ?? topicError(value)}
    />
  );
}

export const VISIBILITIES = [
  { value: 'public', label: 'Public', hint: 'Everybody here finds it and can join.' },
  { value: 'private', label: 'Private', hint: 'Nobody sees it whom a member has not brought in.' },
] as const;

export const POSTINGS = [
  { value: 'members', label: 'All members', hint: 'Whoever is in the room writes.' },
  { value: 'moderators', label: 'Only moderators', hint: 'Owners and moderators write, the others read.' },
] as const;

export const HISTORIES = [
  { value: 'all', label: 'Everything', hint: 'Whoever comes later reads from the beginning.' },
  { value: 'since_join', label: 'From when they came', hint: 'What was written before stays hidden.' },
] as const;
