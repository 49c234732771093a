import { Tooltip } from '@mantine/core';
import {
  IconAlertTriangle,
  IconArrowsExchange,
  IconBell,
  IconBellOff,
  IconBug,
  IconBuilding,
  IconChartLine,
  IconCoin,
  IconCpu,
  IconDatabase,
  IconFlask,
  IconGauge,
  IconHistory,
  IconHome,
  IconLayoutDashboard,
  IconLayoutSidebarLeftCollapse,
  IconLayoutSidebarLeftExpand,
  IconLogin2,
  IconLogs,
  IconMask,
  IconMessages,
  IconPlug,
  IconReceipt,
  IconServer,
  IconSettings,
  IconSitemap,
  IconSparkles,
  IconStack2,
  IconTargetArrow,
  IconThumbUp,
  IconUsers,
} from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, type LinkProps } from '@tanstack/react-router';
import type { ComponentType } from 'react';
import { useTranslation } from 'react-i18next';
import { incidentsQuery } from '../api/incidents.ts';
import { meQuery } from '../api/session.ts';
import { administersAI, ownersOf, useEditsRoles } from '../parts/OwnerSelect.tsx';
import classes from './Frame.module.css';
import { usePausedAt } from './live.ts';
import { Mark } from './Mark.tsx';
import { useProject } from './useProject.ts';

interface Props {
  collapsed: boolean;
  /** Absent where the rail cannot be collapsed. */
  onToggle?: () => void;
}

/** The sections that exist. What is not built yet is not shown. */
export function Rail({ collapsed, onToggle }: Props) {
  const { t } = useTranslation();
  const project = useProject();
  const { data: me } = useQuery(meQuery);
  const plays = useEditsRoles(project?.org_id);
  const params = project && { project: String(project.id) };
  const Toggle = collapsed ? IconLayoutSidebarLeftExpand : IconLayoutSidebarLeftCollapse;
  return (
    <nav className={classes.rail} data-collapsed={collapsed || undefined} aria-label={t('frame.rail')}>
      <Link to="/" className={classes.brand} aria-label="MATRIX">
        <Mark />
        <span translate="no">{'MATRIX'}</span>
      </Link>
      {params && (
        <>
          <Item
            icon={IconHome}
            label={t('nav.home')}
            collapsed={collapsed}
            link={{ to: '/projects/$project', params, activeOptions: { exact: true, includeSearch: false } }}
          />
          <Item
            icon={IconAlertTriangle}
            label={t('nav.incidents')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/incidents', params }}
            badge={<OpenCount project={Number(params.project)} />}
          />
          <Item
            icon={IconStack2}
            label={t('nav.services')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/services', params }}
          />
          <Item
            icon={IconArrowsExchange}
            label={t('nav.transactions')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/transactions', params }}
          />
          <Item
            icon={IconDatabase}
            label={t('nav.sql')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/sql', params }}
          />
          <Item
            icon={IconBug}
            label={t('nav.issues')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/issues', params }}
          />
          <Item
            icon={IconSitemap}
            label={t('nav.map')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/map', params }}
          />
          <Item
            icon={IconLogs}
            label={t('nav.logs')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/logs', params }}
          />
          <Item
            icon={IconServer}
            label={t('nav.hosts')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/hosts', params }}
          />
          <Item
            icon={IconChartLine}
            label={t('nav.metrics')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/metrics', params }}
          />
          <Item
            icon={IconLayoutDashboard}
            label={t('nav.dashboards')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/dashboards', params }}
          />
          <div className={classes.section}>{t('nav.alerting')}</div>
          <Item
            icon={IconTargetArrow}
            label={t('nav.rules')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/rules', params }}
          />
          <Item
            icon={IconBell}
            label={t('nav.channels')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/channels', params }}
          />
          <Item
            icon={IconBellOff}
            label={t('nav.silences')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/silences', params }}
          />
        </>
      )}
      <div className={classes.section}>{t('nav.ai')}</div>
      {params && (
        <Item
          icon={IconMessages}
          label={t('nav.calls')}
          collapsed={collapsed}
          link={{ to: '/projects/$project/ai-calls', params }}
        />
      )}
      {params && (
        <Item
          icon={IconThumbUp}
          label={t('nav.quality')}
          collapsed={collapsed}
          link={{ to: '/projects/$project/quality', params }}
        />
      )}
      {params && (
        <Item
          icon={IconMask}
          label={t('nav.masking')}
          collapsed={collapsed}
          link={{ to: '/projects/$project/masking', params }}
        />
      )}
      <Item icon={IconReceipt} label={t('nav.usage')} collapsed={collapsed} link={{ to: '/usage' }} />
      {params && plays && (
        <Item
          icon={IconFlask}
          label={t('nav.playground')}
          collapsed={collapsed}
          link={{ to: '/projects/$project/playground', params }}
        />
      )}
      {me && ownersOf(me).length > 0 && (
        <Item icon={IconSparkles} label={t('nav.roles')} collapsed={collapsed} link={{ to: '/roles' }} />
      )}
      {me && administersAI(me) && (
        <Item icon={IconGauge} label={t('nav.budgets')} collapsed={collapsed} link={{ to: '/budgets' }} />
      )}
      {me?.user.system && (
        <Item icon={IconCpu} label={t('nav.models')} collapsed={collapsed} link={{ to: '/models' }} />
      )}
      {me && administersAI(me) && (
        <>
          <Item icon={IconCoin} label={t('nav.prices')} collapsed={collapsed} link={{ to: '/prices' }} />
          <Item icon={IconPlug} label={t('nav.providers')} collapsed={collapsed} link={{ to: '/providers' }} />
        </>
      )}
      {params && (
        <>
          <div className={classes.section}>{t('nav.project')}</div>
          <Item
            icon={IconSettings}
            label={t('nav.settings')}
            collapsed={collapsed}
            link={{ to: '/projects/$project/settings', params }}
          />
        </>
      )}
      {me?.user.system && (
        <>
          <div className={classes.section}>{t('nav.installation')}</div>
          <Item icon={IconBuilding} label={t('nav.orgs')} collapsed={collapsed} link={{ to: '/orgs' }} />
          <Item icon={IconUsers} label={t('nav.users')} collapsed={collapsed} link={{ to: '/users' }} />
          <Item icon={IconLogin2} label={t('nav.signin')} collapsed={collapsed} link={{ to: '/sign-in' }} />
          <Item icon={IconHistory} label={t('nav.audit')} collapsed={collapsed} link={{ to: '/audit' }} />
        </>
      )}
      {onToggle && (
        <button
          type="button"
          className={`${classes.item} ${classes.toggle}`}
          onClick={onToggle}
          aria-expanded={!collapsed}
          aria-label={t('frame.collapse')}
        >
          <Toggle size={18} stroke={1.6} aria-hidden />
          <span>{t('frame.collapse')}</span>
        </button>
      )}
    </nav>
  );
}

interface ItemProps {
  icon: ComponentType<{ size: number; stroke: number }>;
  label: string;
  collapsed: boolean;
  link: LinkProps;
  badge?: React.ReactNode;
}

function Item({ icon: Icon, label, collapsed, link, badge }: ItemProps) {
  return (
    <Tooltip label={label} position="right" disabled={!collapsed}>
      <Link {...link} className={classes.item} aria-label={label}>
        <Icon size={18} stroke={1.6} />
        <span>{label}</span>
        {!collapsed && badge}
      </Link>
    </Tooltip>
  );
}

function OpenCount({ project }: { project: number }) {
  const { t } = useTranslation();
  const { data } = useInfiniteQuery(incidentsQuery(project, 'open', '', { pausedAt: usePausedAt() }));
  const open = data?.pages[0]?.total ?? 0;
  return open > 0 ? (
    <em className={classes.count} title={t('nav.open_count', { count: open })} style={{ fontStyle: 'normal' }}>
      {open}
    </em>
  ) : null;
}
