declare module 'express-chocolatey-server' {
  import type { Express } from 'express';

  type PackageMetadata = { readonly id: string; readonly version: string };
  const peer: {
    readPackageMetadata(path: string): PackageMetadata;
    configureRoutes(app: Express, packages: readonly PackageMetadata[]): void;
  };
  export default peer;
}
