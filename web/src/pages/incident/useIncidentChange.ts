import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { analyzeIncident, changeIncident, createSilence, incidentQuery, silenceFor } from '../../api/incidents.ts';
import { meQuery } from '../../api/session.ts';
import type { Incident, IncidentChange } from '../../api/types.ts';
import { toastDone, toastProblem } from '../../parts/toast.tsx';
import { useChange } from '../../parts/useChange.ts';

/** Shows the outcome at once and takes it back when the server refuses. */
export function useIncidentChange(incident: Incident) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const { queryKey } = incidentQuery(incident.project_id, incident.id);
  const outcome = ({ state, severity }: IncidentChange): Partial<Incident> => ({
    ...(state && { state }),
    ...(state === 'acknowledged' && { acknowledged_by: me?.user.name ?? '' }),
    ...(state === 'resolved' && { resolved_at: new Date().toISOString() }),
    ...(severity && { severity }),
  });
  return useMutation({
    mutationFn: (change: IncidentChange) => changeIncident(incident.project_id, incident.id, change),
    onMutate: async (change) => {
      await client.cancelQueries({ queryKey });
      const before = client.getQueryData(queryKey);
      client.setQueryData(queryKey, (old) => old && { ...old, ...outcome(change) });
      return { before };
    },
    onSuccess: (_, change) => {
      if (change.state) toastDone(t(`incident.done.${change.state}`));
    },
    onError: (error, _, context) => {
      client.setQueryData(queryKey, context?.before);
      toastProblem(error);
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey });
      void client.invalidateQueries({ queryKey: ['incidents', incident.project_id] });
    },
  });
}

export function useAnalyze(incident: Incident) {
  const { t } = useTranslation();
  return useChange(() => analyzeIncident(incident.project_id, incident.id), {
    refresh: ['incident', incident.project_id, incident.id],
    done: t('incident.done.analyze'),
  });
}

/** Silences what fires this incident for so many hours. */
export function useSilence(incident: Incident) {
  const { t } = useTranslation();
  return useChange(
    (hours: number) =>
      createSilence(incident.project_id, silenceFor(incident, hours, t('silences.of_incident', { id: incident.id }))),
    {
      refresh: ['silences', incident.project_id],
      also: ['incident', incident.project_id],
      done: t('silences.made'),
    },
  );
}
