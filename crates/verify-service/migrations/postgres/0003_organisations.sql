-- A certificate that is not bound may be a newer one of a key that is: the binding is looked for among its organisation's.
CREATE INDEX bindings_by_organisation ON bindings (portal, credit_code);
