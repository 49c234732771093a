import { useTranslation } from 'react-i18next';

const REASONS = ['no_model', 'model_failed', 'rate_limited', 'masking_failed'] as const;

/** Why a report was written without a model, in words; a reason not known here as it is. */
export function useReason() {
  const { t } = useTranslation();
  return (reason: string): string => {
    const known = REASONS.find((each) => each === reason);
    if (known) return t('incident.without_model_because', { reason: t(`incident.reason.${known}`) });
    return reason ? t('incident.without_model_because', { reason }) : t('incident.without_model');
  };
}
