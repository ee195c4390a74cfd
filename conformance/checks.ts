import type { Check } from './check.ts';
import { authChecks } from './checks/auth.ts';
import { clientsOfTodayChecks } from './checks/clients-of-today.ts';
import { countChecks } from './checks/counts.ts';
import { downloadAddressChecks } from './checks/download-addresses.ts';
import { downloadChecks } from './checks/downloads.ts';
import { entryChecks } from './checks/entries.ts';
import { errorChecks } from './checks/errors.ts';
import { filterChecks } from './checks/filters.ts';
import { findPackagesByIdChecks } from './checks/find-packages-by-id.ts';
import { getUpdatesChecks } from './checks/get-updates.ts';
import { latestFlagChecks } from './checks/latest-flags.ts';
import { metadataChecks } from './checks/metadata.ts';
import { nextLinkChecks } from './checks/next-links.ts';
import { packagesByKeyChecks } from './checks/packages-by-key.ts';
import { pagingChecks } from './checks/paging.ts';
import { pushChecks } from './checks/push.ts';
import { robustnessChecks } from './checks/robustness.ts';
import { searchChecks } from './checks/search.ts';
import { semVerViewChecks } from './checks/semver-views.ts';
import { serviceDocumentChecks } from './checks/service-document.ts';
import { withdrawChecks } from './checks/withdraw.ts';

/** The suite, in the order in which it runs. Those that watch all answers come last. */
export const checks: readonly Check[] = [
  ...serviceDocumentChecks,
  ...metadataChecks,
  ...findPackagesByIdChecks,
  ...packagesByKeyChecks,
  ...filterChecks,
  ...searchChecks,
  ...clientsOfTodayChecks,
  ...pagingChecks,
  ...nextLinkChecks,
  ...countChecks,
  ...latestFlagChecks,
  ...semVerViewChecks,
  ...entryChecks,
  ...downloadChecks,
  ...downloadAddressChecks,
  ...getUpdatesChecks,
  ...errorChecks,
  ...authChecks,
  ...pushChecks,
  ...withdrawChecks,
  ...robustnessChecks,
];
