// The API's own types under the names the screens use. schema.d.ts is made of
// internal/api/openapi.yaml by `npm run gen`. Times are RFC 3339, durations
// nanoseconds, span ids 16 and trace ids 32 hex digits.
export type {
  AiRole as Role,
  Attempt,
  Bucket,
  Call,
  Change as RuleChange,
  ChannelRequest as ChannelEdit,
  ComparedStep,
  Comparison,
  Delivery,
  Detail as Incident,
  Difference,
  Differences,
  Edge as MapEdge,
  Endpoint,
  Exception,
  Fact,
  Footprint,
  FoundSpans,
  Frame as StackFrame,
  GroundValue as FactValue,
  Group,
  Heat,
  Home,
  InAppRequest as InAppEdit,
  Incident as IncidentSummary,
  IncidentEvent as TimelineEntry,
  Instance as ServiceInstance,
  Issue,
  IssueDetail,
  IssueEvent,
  IssueException,
  IssuePage,
  IssueRequest as IssueEdit,
  Item as IssueItem,
  Key,
  Link as SpanLink,
  Me,
  Member,
  NewKey,
  NewRoleRequest as NewRole,
  NewToken,
  NewUser,
  Organisation,
  Outline,
  OutlineOperation,
  OutlineSpan,
  PathPart,
  Person,
  Point,
  Price,
  PriceRequest as PriceEdit,
  Profile,
  Project,
  ProjectSettings,
  Red as RED,
  RepeatedCall,
  Report,
  RoleRequest as RoleEdit,
  RoleVersion,
  Rule,
  RuleRequest as RuleEdit,
  Rules as InAppRules,
  Sampling,
  Scatter,
  Seen as Occurrence,
  Series,
  Service,
  ServiceHealth,
  ServiceSummary,
  ServiceVersion,
  Setup,
  Share,
  SignalFootprint,
  Span,
  SpanFailure,
  StatementCall,
  StatementPage,
  StatementStats,
  StatementTotal,
  Stats as IssueStats,
  Step,
  Target as Channel,
  Token,
  TraceGap,
  TraceGraph as ServiceMap,
  TraceNode as MapNode,
  Transaction,
  Usage,
  User,
  UserChange,
  View,
  Whole as IssueOccurrence,
} from './schema.d.ts';

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export type MemberRole = 'owner' | 'admin' | 'editor' | 'viewer';

/** The beginning of a list that is not paged. */
export interface Top<T> {
  items: T[];
  total: number;
}

/** A page of a list that is read by cursor. */
export interface Page<T> {
  items: T[];
  next_cursor: string;
  total: number;
}
