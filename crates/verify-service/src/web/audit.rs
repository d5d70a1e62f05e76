//! The audit log for the portal: its export, and evidence packages of single records. A portal sees its own records; of
//! the others it sees the digests, without which the chain could not be followed.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sealbridge_relying_party::{Code, Failure};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;

use super::call::{Asked, Caller};
use crate::evidence::{self, LINKS_MAX};
use crate::problem::Problem;
use crate::service::Service;
use crate::store::Database;
use crate::store::audit::{self, Link};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Range {
    #[serde(default = "beginning")]
    from: i64,
}

fn beginning() -> i64 {
    1
}

/// The chain from a record on, one JSON value in each line, for `audit check`.
pub(super) async fn export(
    State(service): State<Service>,
    caller: Caller,
    range: Result<Query<Range>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(range) = range.map_err(|error| Problem::malformed(&error.body_text()))?;
    let end = audit::head(service.database()).await?;
    let (mut write, read) = tokio::io::duplex(64 * 1024);
    let (database, portal) = (service.database().clone(), caller.id().to_owned());
    tokio::spawn(async move {
        if let Err(error) = lines(&database, &portal, range.from, end.sequence, &mut write).await {
            // The reader sees a chain that ends early, which its check tells from a whole one by the receipt.
            tracing::warn!(%error, "audit export");
        }
    });
    let mut response = ([(header::CONTENT_TYPE, "application/jsonl")], Body::from_stream(ReaderStream::new(read))).into_response();
    response.extensions_mut().insert(Asked(caller.id().to_owned()));
    Ok(response)
}

async fn lines(
    database: &Database,
    portal: &str,
    from: i64,
    to: i64,
    out: &mut tokio::io::DuplexStream,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (mut next, mut begun) = (from.max(1), false);
    loop {
        let rows = audit::rows(database, next).await?;
        let Some((last, _)) = rows.last() else { break };
        let after = last.sequence.saturating_add(1);
        for (record, _) in rows {
            if record.sequence > to {
                return Ok(());
            }
            let line = if record.portal == portal {
                begun = true;
                serde_json::to_string(&record)?
            } else if begun {
                serde_json::to_string(&Link { sequence: record.sequence, digest: record.digest, hash: record.hash })?
            } else {
                continue;
            };
            out.write_all(line.as_bytes()).await?;
            out.write_all(b"\n").await?;
        }
        next = after;
    }
    Ok(())
}

/// The evidence package of one record, without a document.
pub(super) async fn evidence(State(service): State<Service>, caller: Caller, Path(sequence): Path<String>) -> Result<Response, Problem> {
    let number = sequence.parse::<i64>().map_err(|_| Problem::malformed("sequence"))?;
    let found = audit::one(service.database(), caller.id(), number).await?;
    let Some((record, material)) = found else {
        return Err(Failure::new(Code::NotFound).with("what", number).into());
    };
    let links = audit::links(service.database(), number, LINKS_MAX).await?;
    let package = tokio::task::spawn_blocking(move || evidence::write(std::io::Cursor::new(Vec::new()), &record, &material, &links, None));
    let package = package.await.map_err(|_| Code::Internal)?.map_err(|error| {
        tracing::error!(%error, "evidence");
        Code::Internal
    })?;
    let name = format!("attachment; filename=\"evidence-{number}.zip\"");
    let headers = [(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, name)];
    let mut response = (headers, package.into_inner()).into_response();
    response.extensions_mut().insert(Asked(caller.id().to_owned()));
    Ok(response)
}
