// verify: no key, no host. The stamping page opens behind the portal's tab, reads the document and closes itself.

export { openVisit as verify } from "./stamp";
