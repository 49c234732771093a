import type { MyNotifications, NotificationsEdit, PersonalRule, Way } from '../../api/types.ts';

/** The kinds of ways that need no address: the account's is taken. */
export const WITHOUT_ADDRESS = ['email'];
/** The kinds that take the account's address when none is given. */
export const OPTIONAL_ADDRESS = ['kakaowork'];

/** The part of somebody's notifications that they edit. A first one takes the zone of who writes it. */
export const editOf = ({
  language,
  time_zone,
  quiet,
  digest,
  ways,
  rules,
  version,
}: MyNotifications): NotificationsEdit => ({
  language,
  time_zone: version === 0 ? Intl.DateTimeFormat().resolvedOptions().timeZone : time_zone,
  quiet,
  digest,
  ways,
  rules,
});

/** With a way set. */
export const withWay = (edit: NotificationsEdit, way: Way): NotificationsEdit => ({
  ...edit,
  ways: [...(edit.ways ?? []).filter(({ kind }) => kind !== way.kind), way],
});

/** Without a way, and without what only it told: a rule needs one. */
export const withoutWay = (edit: NotificationsEdit, kind: string): NotificationsEdit => ({
  ...edit,
  ways: (edit.ways ?? []).filter((way) => way.kind !== kind),
  rules: (edit.rules ?? [])
    .map((rule) => ({ ...rule, ways: (rule.ways ?? []).filter((way) => way !== kind) }))
    .filter((rule) => rule.ways.length > 0),
});

/** With a rule at a place; one beyond the end is added. */
export const withRule = (edit: NotificationsEdit, at: number, rule: PersonalRule): NotificationsEdit => {
  const rules = edit.rules ?? [];
  return { ...edit, rules: at < rules.length ? rules.map((old, i) => (i === at ? rule : old)) : [...rules, rule] };
};
