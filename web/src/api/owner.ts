/** Where what is an owner's is: an organisation's, or with 0 what all share. */
export const ownerPath = (org: number) => (org ? `/orgs/${org}` : '');
