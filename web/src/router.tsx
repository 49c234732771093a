import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  parseSearchWith,
  redirect,
  retainSearchParams,
  stringifySearchWith,
} from '@tanstack/react-router';
import { whenMustEnrol, whenSignedOut } from './api/client.ts';
import { HOST_SORTS } from './api/hosts.ts';
import { INCIDENT_STATES, SEVERITIES } from './api/incidents.ts';
import { ISSUE_SORTS, ISSUE_STATES } from './api/issues.ts';
import { EDGE_SORTS } from './api/map.ts';
import { asProblem } from './api/problem.ts';
import { SERVICE_SORTS } from './api/services.ts';
import { meQuery, projectsOf } from './api/session.ts';
import { LOGIN_FAILURES } from './api/signin.ts';
import { STATEMENT_SORTS } from './api/statements.ts';
import { USAGE_DIMENSIONS, USAGE_MEASURES, USAGE_SCOPES } from './api/usage.ts';
import { Frame } from './frame/Frame.tsx';
import { validateRange } from './frame/range.ts';
import { rememberedProject } from './frame/remembered.ts';
import { Broken, Missing } from './parts/Failure.tsx';
import { choice, flag, moment, optional, positive, text, whose } from './search.ts';

interface Context {
  queryClient: QueryClient;
}

const root = createRootRouteWithContext<Context>()({ notFoundComponent: Missing });

const loginRoute = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: optional((s) => ({ to: text(s.to), failure: choice(s.failure, LOGIN_FAILURES) })),
  component: lazyRouteComponent(() => import('./pages/login/Login.tsx'), 'Login'),
});

const inviteRoute = createRoute({
  getParentRoute: () => root,
  path: '/invite',
  component: lazyRouteComponent(() => import('./pages/invite/Invite.tsx'), 'Invite'),
});

/** Everything behind the login. */
const home = createRoute({
  getParentRoute: () => root,
  id: 'home',
  validateSearch: validateRange,
  search: { middlewares: [retainSearchParams(['range', 'from', 'to'])] },
  beforeLoad: async ({ context, location }) => {
    try {
      const me = await context.queryClient.ensureQueryData(meQuery);
      if (me.must_enrol && location.pathname !== '/me') throw redirect({ to: '/me' });
    } catch (error) {
      if (asProblem(error).status === 401) {
        throw redirect({ to: '/login', search: { to: location.href } });
      }
      throw error;
    }
  },
  component: Frame,
});

const start = createRoute({
  getParentRoute: () => home,
  path: '/',
  beforeLoad: async ({ context }) => {
    const projects = projectsOf(await context.queryClient.ensureQueryData(meQuery));
    const project = projects.find((p) => p.id === rememberedProject()) ?? projects[0];
    if (project) throw redirect({ to: '/projects/$project', params: { project: String(project.id) } });
  },
  component: lazyRouteComponent(() => import('./pages/start/NoProject.tsx'), 'NoProject'),
});

const project = createRoute({ getParentRoute: () => home, path: '/projects/$project' });

const projectHome = createRoute({
  getParentRoute: () => project,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/home/HomePage.tsx'), 'HomePage'),
});

const incidents = createRoute({
  getParentRoute: () => project,
  path: '/incidents',
  validateSearch: optional((s) => ({
    state: choice(s.state, INCIDENT_STATES),
    q: text(s.q),
    severity: choice(s.severity, SEVERITIES),
    service: text(s.service),
    label: text(s.label),
    assignee: choice(s.assignee, ['-1']) ?? positive(s.assignee)?.toString(),
  })),
  component: lazyRouteComponent(() => import('./pages/incidents/Incidents.tsx'), 'Incidents'),
});

const silences = createRoute({
  getParentRoute: () => project,
  path: '/silences',
  validateSearch: optional((s) => ({ tab: choice(s.tab, ['maintenance'] as const) })),
  component: lazyRouteComponent(() => import('./pages/silences/Silences.tsx'), 'Silences'),
});

const incident = createRoute({
  getParentRoute: () => project,
  path: '/incidents/$incident',
  validateSearch: optional((s) => ({
    tab: choice(s.tab, ['evidence', 'timeline', 'masking', 'deliveries'] as const),
    fact: text(s.fact),
  })),
  component: lazyRouteComponent(() => import('./pages/incident/IncidentPage.tsx'), 'IncidentPage'),
});

const trace = createRoute({
  getParentRoute: () => project,
  path: '/traces/$traceId',
  validateSearch: optional((s) => ({
    span: text(s.span),
    kind: choice(s.kind, ['internal', 'server', 'client', 'producer', 'consumer'] as const),
    view: choice(s.view, ['waterfall', 'profile', 'flame', 'sql', 'errors', 'logs'] as const),
    q: text(s.q),
    service: text(s.service),
    incident: positive(s.incident),
  })),
  component: lazyRouteComponent(() => import('./pages/trace/TracePage.tsx'), 'TracePage'),
});

const transactions = createRoute({
  getParentRoute: () => project,
  path: '/transactions',
  validateSearch: optional((s) => ({
    sort: choice(s.sort, ['newest', 'slowest'] as const),
    service: text(s.service),
    endpoint: text(s.endpoint),
    min: positive(s.min),
    errors: flag(s.errors),
    q: text(s.q),
    axis: choice(s.axis, ['log'] as const),
    mode: choice(s.mode, ['heat'] as const),
    top: positive(s.top),
    sel: text(s.sel),
  })),
  component: lazyRouteComponent(() => import('./pages/transactions/Transactions.tsx'), 'Transactions'),
});

const services = createRoute({
  getParentRoute: () => project,
  path: '/services',
  validateSearch: optional((s) => ({
    sort: choice(s.sort, SERVICE_SORTS),
    q: text(s.q),
    environment: text(s.environment),
  })),
  component: lazyRouteComponent(() => import('./pages/services/Services.tsx'), 'Services'),
});

const service = createRoute({
  getParentRoute: () => project,
  path: '/services/$service',
  validateSearch: optional((s) => ({
    tab: choice(s.tab, ['instances', 'versions', 'dependencies', 'profiles'] as const),
    environment: text(s.environment),
    sort: choice(s.sort, ['worst', 'name', 'rate', 'errors', 'p95', 'total'] as const),
    q: text(s.q),
    kind: text(s.kind),
    endpoint: text(s.endpoint),
    call: text(s.call),
  })),
  component: lazyRouteComponent(() => import('./pages/service/ServicePage.tsx'), 'ServicePage'),
});

const statements = createRoute({
  getParentRoute: () => project,
  path: '/sql',
  validateSearch: optional((s) => ({
    sort: choice(s.sort, STATEMENT_SORTS),
    q: text(s.q),
    service: text(s.service),
    system: text(s.system),
  })),
  component: lazyRouteComponent(() => import('./pages/sql/Statements.tsx'), 'Statements'),
});

const statement = createRoute({
  getParentRoute: () => project,
  path: '/sql/$hash',
  validateSearch: optional((s) => ({ service: text(s.service) })),
  component: lazyRouteComponent(() => import('./pages/statement/StatementPage.tsx'), 'StatementPage'),
});

const issues = createRoute({
  getParentRoute: () => project,
  path: '/issues',
  validateSearch: optional((s) => ({
    state: choice(s.state, ISSUE_STATES),
    sort: choice(s.sort, ISSUE_SORTS),
    q: text(s.q),
    service: text(s.service),
    version: text(s.version),
    assignee: choice(s.assignee, ['-1']) ?? positive(s.assignee)?.toString(),
  })),
  component: lazyRouteComponent(() => import('./pages/issues/Issues.tsx'), 'Issues'),
});

const issue = createRoute({
  getParentRoute: () => project,
  path: '/issues/$issue',
  validateSearch: optional((s) => ({
    occurrence: text(s.occurrence),
    tab: choice(s.tab, ['occurrences', 'activity', 'grouping'] as const),
  })),
  component: lazyRouteComponent(() => import('./pages/issue/IssuePage.tsx'), 'IssuePage'),
});

const map = createRoute({
  getParentRoute: () => project,
  path: '/map',
  validateSearch: optional((s) => ({
    environment: text(s.environment),
    focus: text(s.focus),
    depth: positive(s.depth),
    node: text(s.node),
    edge: text(s.edge),
    view: choice(s.view, ['list'] as const),
    sort: choice(s.sort, EDGE_SORTS),
    q: text(s.q),
    at: moment(s.at),
  })),
  component: lazyRouteComponent(() => import('./pages/map/MapPage.tsx'), 'MapPage'),
});

const logs = createRoute({
  getParentRoute: () => project,
  path: '/logs',
  validateSearch: optional((s) => ({
    q: text(s.q),
    levels: text(s.levels),
    order: choice(s.order, ['oldest'] as const),
    tab: choice(s.tab, ['patterns'] as const),
    live: flag(s.live),
    record: text(s.record),
    side: choice(s.side, ['context'] as const),
    cols: text(s.cols),
    wrap: flag(s.wrap),
  })),
  component: lazyRouteComponent(() => import('./pages/logs/Logs.tsx'), 'Logs'),
});

const hosts = createRoute({
  getParentRoute: () => project,
  path: '/hosts',
  validateSearch: optional((s) => ({ sort: choice(s.sort, HOST_SORTS), q: text(s.q) })),
  component: lazyRouteComponent(() => import('./pages/hosts/Hosts.tsx'), 'Hosts'),
});

const host = createRoute({
  getParentRoute: () => project,
  path: '/hosts/$host',
  component: lazyRouteComponent(() => import('./pages/host/HostPage.tsx'), 'HostPage'),
});

const metrics = createRoute({
  getParentRoute: () => project,
  path: '/metrics',
  validateSearch: optional((s) => ({
    a: text(s.a),
    b: text(s.b),
    c: text(s.c),
    d: text(s.d),
    e: text(s.e),
    f: text(s.f),
    off: text(s.off),
    filter: text(s.filter),
    tab: choice(s.tab, ['targets'] as const),
  })),
  component: lazyRouteComponent(() => import('./pages/metrics/Metrics.tsx'), 'Metrics'),
});

const dashboards = createRoute({
  getParentRoute: () => project,
  path: '/dashboards',
  component: lazyRouteComponent(() => import('./pages/dashboards/Dashboards.tsx'), 'Dashboards'),
});

const dashboard = createRoute({
  getParentRoute: () => project,
  path: '/dashboards/$dashboard',
  // The values of its variables, as a query of their own.
  validateSearch: optional((s) => ({
    vars: text(s.vars),
    tab: choice(s.tab, ['history'] as const),
    version: positive(s.version),
  })),
  component: lazyRouteComponent(() => import('./pages/dashboard/DashboardPage.tsx'), 'DashboardPage'),
});

const rules = createRoute({
  getParentRoute: () => project,
  path: '/rules',
  validateSearch: optional((s) => ({
    history: positive(s.history),
    q: text(s.q),
    group: text(s.group),
    severity: text(s.severity),
    state: choice(s.state, ['on', 'off', 'failing'] as const),
  })),
  component: lazyRouteComponent(() => import('./pages/rules/Rules.tsx'), 'Rules'),
});

const channels = createRoute({
  getParentRoute: () => project,
  path: '/channels',
  validateSearch: optional((s) => ({
    tab: choice(s.tab, ['routing', 'log'] as const),
    channel: positive(s.channel),
    state: choice(s.state, ['pending', 'sending', 'delivered', 'failed', 'held', 'joined'] as const),
  })),
  component: lazyRouteComponent(() => import('./pages/channels/Channels.tsx'), 'Channels'),
});

const settings = createRoute({
  getParentRoute: () => project,
  path: '/settings',
  validateSearch: optional((s) => ({
    tab: choice(s.tab, ['keys', 'members', 'errors', 'analysis', 'storage', 'project'] as const),
  })),
  component: lazyRouteComponent(() => import('./pages/settings/Settings.tsx'), 'Settings'),
});

const calls = createRoute({
  getParentRoute: () => project,
  path: '/ai-calls',
  validateSearch: optional((s) => ({
    role: text(s.role),
    of: choice(s.of, ['org', 'installation'] as const),
    version: positive(s.version),
    ref: text(s.ref),
    model: text(s.model),
    status: text(s.status),
    schema: choice(s.schema, ['valid', 'invalid', 'none'] as const),
    caller: text(s.caller),
    person: text(s.person),
    token: text(s.token),
    purpose: text(s.purpose),
    min: positive(s.min),
    q: text(s.q),
  })),
  component: lazyRouteComponent(() => import('./pages/calls/Calls.tsx'), 'Calls'),
});

const call = createRoute({
  getParentRoute: () => project,
  path: '/ai-calls/$call',
  component: lazyRouteComponent(() => import('./pages/call/CallPage.tsx'), 'CallPage'),
});

const playground = createRoute({
  getParentRoute: () => project,
  path: '/playground',
  component: lazyRouteComponent(() => import('./pages/playground/Playground.tsx'), 'Playground'),
});

const newExperiment = createRoute({
  getParentRoute: () => project,
  path: '/playground/new',
  // Recorded calls to begin with, by their ids.
  validateSearch: optional((s) => ({ role: text(s.role), calls: text(s.calls) })),
  component: lazyRouteComponent(() => import('./pages/playground/NewExperiment.tsx'), 'NewExperiment'),
});

const experiment = createRoute({
  getParentRoute: () => project,
  path: '/playground/$experiment',
  validateSearch: optional((s) => ({ left: positive(s.left), right: positive(s.right) })),
  component: lazyRouteComponent(() => import('./pages/playground/ExperimentPage.tsx'), 'ExperimentPage'),
});

const quality = createRoute({
  getParentRoute: () => project,
  path: '/quality',
  validateSearch: optional((s) => ({ role: text(s.role) })),
  component: lazyRouteComponent(() => import('./pages/quality/Quality.tsx'), 'Quality'),
});

const masking = createRoute({
  getParentRoute: () => project,
  path: '/masking',
  validateSearch: optional((s) => ({
    tab: choice(s.tab, ['history'] as const),
    version: positive(s.version),
    against: positive(s.against),
  })),
  component: lazyRouteComponent(() => import('./pages/masking/MaskingPage.tsx'), 'MaskingPage'),
});

const roles = createRoute({
  getParentRoute: () => home,
  path: '/roles',
  validateSearch: optional((s) => ({ org: whose(s.org) })),
  component: lazyRouteComponent(() => import('./pages/roles/Roles.tsx'), 'Roles'),
});

const role = createRoute({
  getParentRoute: () => home,
  path: '/roles/$role',
  validateSearch: optional((s) => ({
    org: whose(s.org),
    tab: choice(s.tab, ['try', 'labels', 'history'] as const),
    version: positive(s.version),
    against: positive(s.against),
  })),
  component: lazyRouteComponent(() => import('./pages/role/RolePage.tsx'), 'RolePage'),
});

const prices = createRoute({
  getParentRoute: () => home,
  path: '/prices',
  // The history of a model: its provider and its name, with a slash between them.
  validateSearch: optional((s) => ({ q: text(s.q), org: whose(s.org), history: text(s.history) })),
  component: lazyRouteComponent(() => import('./pages/prices/Prices.tsx'), 'Prices'),
});

const models = createRoute({
  getParentRoute: () => home,
  path: '/models',
  validateSearch: optional((s) => ({ q: text(s.q) })),
  component: lazyRouteComponent(() => import('./pages/models/Models.tsx'), 'Models'),
});

const providers = createRoute({
  getParentRoute: () => home,
  path: '/providers',
  validateSearch: optional((s) => ({ q: text(s.q), org: whose(s.org) })),
  component: lazyRouteComponent(() => import('./pages/providers/Providers.tsx'), 'Providers'),
});

const usage = createRoute({
  getParentRoute: () => home,
  path: '/usage',
  validateSearch: optional((s) => ({
    of: choice(s.of, USAGE_SCOPES),
    by: choice(s.by, USAGE_DIMENSIONS),
    show: choice(s.show, USAGE_MEASURES),
    // What it is narrowed to, by dimension.
    org: text(s.org),
    group: text(s.group),
    project: text(s.project),
    person: text(s.person),
    token: text(s.token),
    purpose: text(s.purpose),
    role: text(s.role),
    provider: text(s.provider),
    model: text(s.model),
  })),
  component: lazyRouteComponent(() => import('./pages/usage/UsagePage.tsx'), 'UsagePage'),
});

const budgets = createRoute({
  getParentRoute: () => home,
  path: '/budgets',
  validateSearch: optional((s) => ({
    // Whose they are: 0 is the installation.
    org: String(s.org) === '0' ? 0 : positive(s.org),
    q: text(s.q),
    budget: text(s.budget),
    at: moment(s.at),
  })),
  component: lazyRouteComponent(() => import('./pages/budgets/Budgets.tsx'), 'Budgets'),
});

const orgs = createRoute({
  getParentRoute: () => home,
  path: '/orgs',
  validateSearch: optional((s) => ({ q: text(s.q) })),
  component: lazyRouteComponent(() => import('./pages/orgs/Orgs.tsx'), 'Orgs'),
});

const org = createRoute({
  getParentRoute: () => home,
  path: '/orgs/$org',
  // Makes a project, in the group of that number if there is one.
  validateSearch: optional((s) => ({ create: text(s.create) })),
  component: lazyRouteComponent(() => import('./pages/org/Org.tsx'), 'Org'),
});

const auditSearch = optional((s) => ({
  actor: text(s.actor),
  operation: text(s.operation),
  object: text(s.object),
  kind: choice(s.kind, ['change', 'read'] as const),
  outcome: choice(s.outcome, ['begun', 'done', 'denied', 'failed'] as const),
}));

const orgAudit = createRoute({
  getParentRoute: () => home,
  path: '/orgs/$org/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('./pages/audit/Audit.tsx'), 'OrgAudit'),
});

const audit = createRoute({
  getParentRoute: () => home,
  path: '/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('./pages/audit/Audit.tsx'), 'Audit'),
});

const users = createRoute({
  getParentRoute: () => home,
  path: '/users',
  validateSearch: optional((s) => ({ q: text(s.q) })),
  component: lazyRouteComponent(() => import('./pages/users/Users.tsx'), 'Users'),
});

const signIn = createRoute({
  getParentRoute: () => home,
  path: '/sign-in',
  component: lazyRouteComponent(() => import('./pages/sign-in/SignIn.tsx'), 'SignIn'),
});

const myAccount = createRoute({
  getParentRoute: () => home,
  path: '/me',
  component: lazyRouteComponent(() => import('./pages/me/MyAccount.tsx'), 'MyAccount'),
});

const tree = root.addChildren([
  loginRoute,
  inviteRoute,
  home.addChildren([
    start,
    roles,
    orgs,
    org,
    orgAudit,
    audit,
    users,
    signIn,
    myAccount,
    role,
    prices,
    models,
    providers,
    usage,
    budgets,
    project.addChildren([
      calls,
      call,
      playground,
      newExperiment,
      experiment,
      quality,
      masking,
      projectHome,
      incidents,
      incident,
      silences,
      trace,
      transactions,
      services,
      service,
      statements,
      statement,
      issues,
      issue,
      map,
      logs,
      hosts,
      host,
      metrics,
      dashboards,
      dashboard,
      rules,
      channels,
      settings,
    ]),
  ]),
]);

export function createAppRouter(queryClient: QueryClient) {
  const router = createRouter({
    routeTree: tree,
    context: { queryClient },
    // Values stay the text they are: a span id of sixteen digits is not a number.
    parseSearch: parseSearchWith((value) => value),
    stringifySearch: stringifySearchWith(String),
    defaultPreload: 'intent',
    defaultErrorComponent: Broken,
    defaultPendingMs: 400,
    scrollRestoration: true,
  });
  whenMustEnrol(() => {
    void queryClient.invalidateQueries({ queryKey: meQuery.queryKey });
    if (router.state.location.pathname !== '/me') void router.navigate({ to: '/me' });
  });
  whenSignedOut(() => {
    const { location } = router.state;
    queryClient.clear();
    if (location.pathname !== '/login') void router.navigate({ to: '/login', search: { to: location.href } });
  });
  return router;
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
