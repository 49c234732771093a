import { PasswordInput, Switch, TagsInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createOidcProvider, updateOidcProvider } from '../../api/signin.ts';
import type { OidcProvider, OidcProviderEdit } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { Mono } from '../../parts/Mono.tsx';
import { useChange } from '../../parts/useChange.ts';
import { Mappings } from './Mappings.tsx';
import classes from './SignIn.module.css';

interface Props {
  /** Absent to add one. */
  provider?: OidcProvider;
  onSaved: (code: string) => void;
  onClose: () => void;
}

const FRESH: OidcProviderEdit = {
  name: '',
  issuer: '',
  client_id: '',
  scopes: ['email', 'profile'],
  email_claim: 'email',
  name_claim: 'name',
  groups_claim: 'groups',
  trust_email: false,
  domains: [],
  create_users: true,
  enabled: true,
  sign_out: false,
  mappings: [],
};

const editOf = ({
  name,
  issuer,
  client_id,
  scopes,
  email_claim,
  name_claim,
  groups_claim,
  trust_email,
  domains,
  create_users,
  enabled,
  sign_out,
  mappings,
}: OidcProvider): OidcProviderEdit => ({
  name,
  issuer,
  client_id,
  scopes,
  email_claim,
  name_claim,
  groups_claim,
  trust_email,
  domains,
  create_users,
  enabled,
  sign_out,
  mappings,
});

const ISSUER = 'https://login.example.com';
const isCode = (code: string) => /^[a-z0-9][a-z0-9-]*$/.test(code);

/** Adds a provider of OpenID Connect, or changes one. */
export function OidcForm({ provider, onSaved, onClose }: Props) {
  const { t } = useTranslation();
  const [code, setCode] = useState('');
  const [edit, setEdit] = useState<OidcProviderEdit>(provider ? editOf(provider) : FRESH);
  const [secret, setSecret] = useState('');
  const set = (part: Partial<OidcProviderEdit>) => setEdit((old) => ({ ...old, ...part }));
  const save = useChange(
    () => {
      const whole = { ...edit, client_secret: secret || undefined };
      return provider ? updateOidcProvider(provider, whole) : createOidcProvider(code, whole);
    },
    { refresh: ['oidc-providers'], done: t('oidc.saved'), onDone: (saved) => onSaved(saved.code) },
  );
  const kept = provider?.has_secret && provider.issuer === edit.issuer && provider.client_id === edit.client_id;
  const wrongCode = code !== '' && !isCode(code);
  // Before it is stored the address can only be told from where this page is.
  const redirect = provider?.redirect_uri ?? `${window.location.origin}/api/v1/session/oidc/${code || '…'}/callback`;
  return (
    <FormModal
      title={provider ? provider.name : t('oidc.add')}
      verb={provider ? undefined : t('action.add')}
      busy={save.isPending}
      size="xl"
      onSubmit={() => {
        if (!wrongCode) save.mutate(undefined);
      }}
      onClose={onClose}
    >
      <div className="pair">
        <TextInput
          label={t('settings.name')}
          description={t('oidc.name_hint')}
          required
          maxLength={100}
          data-autofocus
          value={edit.name}
          onChange={(e) => set({ name: e.currentTarget.value })}
        />
        {!provider && (
          <TextInput
            label={t('oidc.code')}
            description={t('oidc.code_hint')}
            required
            maxLength={40}
            error={wrongCode && t('oidc.code_wrong')}
            value={code}
            onChange={(e) => setCode(e.currentTarget.value.trim().toLowerCase())}
          />
        )}
      </div>
      <TextInput
        label={t('oidc.issuer')}
        description={t('oidc.issuer_hint')}
        placeholder={ISSUER}
        type="url"
        required
        maxLength={500}
        value={edit.issuer}
        onChange={(e) => set({ issuer: e.currentTarget.value.trim() })}
      />
      <div>
        <span className="dim">{t('oidc.redirect')}</span>
        <div>
          <Mono text={redirect} what={t('oidc.redirect')} />
        </div>
      </div>
      <div className="pair">
        <TextInput
          label={t('oidc.client_id')}
          required
          maxLength={300}
          autoComplete="off"
          value={edit.client_id}
          onChange={(e) => set({ client_id: e.currentTarget.value.trim() })}
        />
        <PasswordInput
          label={t('oidc.client_secret')}
          placeholder={kept ? t('oidc.secret_kept') : undefined}
          maxLength={1000}
          autoComplete="new-password"
          value={secret}
          onChange={(e) => setSecret(e.currentTarget.value)}
        />
      </div>
      <TagsInput
        label={t('oidc.domains')}
        description={t('oidc.domains_hint')}
        value={edit.domains}
        onChange={(domains) => set({ domains })}
      />
      <TagsInput
        label={t('oidc.scopes')}
        description={t('oidc.scopes_hint')}
        value={edit.scopes}
        onChange={(scopes) => set({ scopes })}
      />
      <div className={classes.claims}>
        <TextInput
          label={t('oidc.email_claim')}
          maxLength={200}
          value={edit.email_claim}
          onChange={(e) => set({ email_claim: e.currentTarget.value })}
        />
        <TextInput
          label={t('oidc.name_claim')}
          maxLength={200}
          value={edit.name_claim}
          onChange={(e) => set({ name_claim: e.currentTarget.value })}
        />
        <TextInput
          label={t('oidc.groups_claim')}
          maxLength={200}
          value={edit.groups_claim}
          onChange={(e) => set({ groups_claim: e.currentTarget.value })}
        />
      </div>
      <Mappings value={edit.mappings} onChange={(mappings) => set({ mappings })} />
      <Switch
        label={t('oidc.create_users')}
        description={t('oidc.create_users_means')}
        checked={edit.create_users}
        onChange={(e) => set({ create_users: e.currentTarget.checked })}
      />
      <Switch
        label={t('oidc.trust_email')}
        description={t('oidc.trust_email_means')}
        checked={edit.trust_email}
        onChange={(e) => set({ trust_email: e.currentTarget.checked })}
      />
      <Switch
        label={t('oidc.sign_out')}
        description={t('oidc.sign_out_means', {
          address: provider?.logout_uri ?? `${window.location.origin}/login`,
        })}
        checked={edit.sign_out ?? false}
        onChange={(e) => set({ sign_out: e.currentTarget.checked })}
      />
      <Switch
        label={t('oidc.enabled')}
        description={t('oidc.enabled_means')}
        checked={edit.enabled}
        onChange={(e) => set({ enabled: e.currentTarget.checked })}
      />
    </FormModal>
  );
}
