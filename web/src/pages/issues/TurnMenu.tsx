import { Button, Menu } from '@mantine/core';
import { IconBellOff, IconCheck, IconChevronDown, IconRotate2, IconUser, IconUserOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { editOf, peopleQuery, turned } from '../../api/issues.ts';
import type { Issue, IssueEdit } from '../../api/types.ts';
import { type Done, useTurn } from './useTurn.tsx';

interface Props {
  project: number;
  issues: Issue[];
  /** Once the change is made. */
  onDone?: () => void;
}

const HOUR = 3_600_000;
const SPANS = [
  ['hour', 1],
  ['day', 24],
  ['week', 168],
] as const;

/** What can be done with one issue or many: resolve, ignore, reopen, assign. */
export function TurnMenu({ project, issues, onDone }: Props) {
  const { t } = useTranslation();
  const turn = useTurn(project);
  const { data: people } = useQuery(peopleQuery(project));
  const act = (edit: (issue: Issue) => IssueEdit, what: Done) => void turn(issues, edit, what).then(onDone);
  const versions = [...new Set(issues.map((i) => i.last_version).filter(Boolean))];
  const closed = issues.length > 0 && issues.every((i) => i.state === 'resolved' || i.state === 'ignored');
  return (
    <>
      {closed ? (
        <Button
          variant="default"
          leftSection={<IconRotate2 size={15} />}
          onClick={() => act((i) => turned(i, 'ongoing'), 'reopened')}
        >
          {t('issues.reopen')}
        </Button>
      ) : (
        <>
          <Button leftSection={<IconCheck size={15} />} onClick={() => act((i) => turned(i, 'resolved'), 'resolved')}>
            {t('issues.resolve')}
          </Button>
          <Menu position="bottom-start">
            <Menu.Target>
              <Button variant="default" rightSection={<IconChevronDown size={14} />}>
                {t('issues.resolve_in')}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {versions.slice(0, 5).map((version) => (
                <Menu.Item
                  key={version}
                  onClick={() => act((i) => turned(i, 'resolved', { resolved_version: version }), 'resolved')}
                >
                  {t('issues.in_version', { version })}
                </Menu.Item>
              ))}
              <Menu.Item onClick={() => act((i) => turned(i, 'resolved', { resolved_version: 'next' }), 'resolved')}>
                {t('issues.in_next')}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
          <Menu position="bottom-start">
            <Menu.Target>
              <Button
                variant="default"
                leftSection={<IconBellOff size={15} />}
                rightSection={<IconChevronDown size={14} />}
              >
                {t('issues.ignore')}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => act((i) => turned(i, 'ignored'), 'ignored')}>
                {t('issues.ignore_ever')}
              </Menu.Item>
              {SPANS.map(([span, hours]) => (
                <Menu.Item
                  key={span}
                  onClick={() =>
                    act(
                      (i) => turned(i, 'ignored', { ignored_until: new Date(Date.now() + hours * HOUR).toISOString() }),
                      'ignored',
                    )
                  }
                >
                  {t(`issues.ignore_for.${span}`)}
                </Menu.Item>
              ))}
              {[10, 100, 1000].map((n) => (
                <Menu.Item key={n} onClick={() => act((i) => turned(i, 'ignored', { ignored_count: n }), 'ignored')}>
                  {t('issues.ignore_count', { n })}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        </>
      )}
      <Menu position="bottom-start">
        <Menu.Target>
          <Button variant="default" leftSection={<IconUser size={15} />} rightSection={<IconChevronDown size={14} />}>
            {t('issues.assign')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {people?.map((person) => (
            <Menu.Item
              key={person.id}
              onClick={() => act((i) => ({ ...editOf(i), assignee_id: person.id }), 'assigned')}
            >
              {person.name}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item
            leftSection={<IconUserOff size={14} />}
            onClick={() => act((i) => ({ ...editOf(i), assignee_id: undefined }), 'assigned')}
          >
            {t('issues.nobody')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
