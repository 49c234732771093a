import { Menu, Select, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconUser, IconUserOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { SEVERITIES } from '../../api/incidents.ts';
import { peopleQuery } from '../../api/issues.ts';
import { meQuery } from '../../api/session.ts';
import type { Incident } from '../../api/types.ts';
import { useCanWrite } from '../../frame/useProject.ts';
import { Severity } from '../../parts/Severity.tsx';
import classes from './Incident.module.css';
import { useIncidentChange } from './useIncidentChange.ts';

/** Who has the incident, and a way to give it to somebody. */
export function Owner({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const change = useIncidentChange(incident);
  const { data: me } = useQuery(meQuery);
  const { data: people } = useQuery({ ...peopleQuery(incident.project_id), enabled: canWrite });
  const name = incident.assignee || incident.acknowledged_by || t('incidents.nobody');
  if (!canWrite) return <strong>{name}</strong>;
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <UnstyledButton className={classes.owner} aria-label={t('incident.assign', { name })}>
          <strong className="clip">{name}</strong>
          <IconChevronDown size={14} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {me && (
          <Menu.Item
            leftSection={<IconUser size={14} />}
            onClick={() => change.mutate({ assignee_id: me.user.id })}
            rightSection={<kbd className="dim">{'m'}</kbd>}
          >
            {t('incident.assign_me')}
          </Menu.Item>
        )}
        {people
          ?.filter((person) => person.id !== me?.user.id)
          .map((person) => (
            <Menu.Item key={person.id} onClick={() => change.mutate({ assignee_id: person.id })}>
              {person.name}
            </Menu.Item>
          ))}
        {incident.assignee && (
          <>
            <Menu.Divider />
            <Menu.Item leftSection={<IconUserOff size={14} />} onClick={() => change.mutate({ assignee_id: 0 })}>
              {t('issues.nobody')}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

/** How bad it is, and a way to say otherwise. */
export function SeveritySelect({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const change = useIncidentChange(incident);
  if (!canWrite) return <Severity severity={incident.severity} />;
  return (
    <Select
      aria-label={t('severity.label')}
      size="xs"
      w={116}
      allowDeselect={false}
      value={incident.severity}
      data={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))}
      onChange={(next) => change.mutate({ severity: next as Incident['severity'] })}
    />
  );
}
