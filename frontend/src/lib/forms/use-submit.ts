// Sends a form once at a time, and sorts what went wrong into errors of fields and one of the whole form.
import { useState } from 'react';

import { ApiError, explain, explainError } from '@/lib/http/api-error';

export interface FormErrors {
  form?: string;
  fields: Record<string, string>;
}

const FIELD_OF_CODE: Record<string, string> = { username_taken: 'username', handle_taken: 'handle' };

/** `shown`: the fields that say what is wrong with them; of others the form says it. All when absent. */
export function useSubmit<T>(send: () => Promise<T>, done: (answer: T) => void, shown?: readonly string[]) {
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<FormErrors>({ fields: {} });

  async function submit() {
    if (busy) return;
    setBusy(true);
    setErrors({ fields: {} });
    try {
      done(await send());
    } catch (error) {
      setErrors(sorted(error, shown));
    } finally {
      setBusy(false);
    }
  }

  /** The person is mending it: the old error no longer holds. */
  function touched(field: string) {
    const { [field]: _, ...fields } = errors.fields;
    setErrors({ fields });
  }

  return { busy, errors, submit, touched };
}

function sorted(error: unknown, shown: readonly string[] | undefined): FormErrors {
  const field = error instanceof ApiError ? (error.field ?? FIELD_OF_CODE[error.code]) : undefined;
  const hidden = field !== undefined && shown?.includes(field) === false;
  if (field === undefined || hidden || !(error instanceof ApiError))
    return { form: explainError(error), fields: {} };
  return { fields: { [field]: explain(error.code, error.message) } };
}
