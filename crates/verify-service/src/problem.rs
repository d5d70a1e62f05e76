//! A refusal as HTTP tells it: problem+json (RFC 9457) with the stable code of `protocol`, in the language that the
//! caller accepts, and in both, so that a portal can choose for its own users. It adds no code of its own.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sealbridge_intake::Refused;
use sealbridge_relying_party::{Code, Failure, Language, words};
use serde_json::json;

/// Why a request was not done.
#[derive(Debug, Clone)]
pub struct Problem {
    failure: Failure,
    retry_after: Option<u64>,
}

impl Problem {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.failure.code
    }

    /// The failure.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Says when another try makes sense, in seconds (RFC 9110 section 10.2.3).
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// A request that cannot be read.
    #[must_use]
    pub fn malformed(detail: &str) -> Self {
        Failure::new(Code::RequestMalformed).with("detail", detail).into()
    }

    /// The response, with its words in `language`.
    #[must_use]
    pub fn response(&self, language: Language) -> Response {
        let Problem { failure, retry_after } = self;
        let status = status(failure.code);
        let told = words::tell_page(failure, language);
        let body = json!({
            "type": format!("/docs#{}", failure.code),
            "title": told.what,
            "detail": told.remedy,
            "status": status.as_u16(),
            "code": told.code,
            "party": told.party,
            "facts": told.facts,
            "words": told.words,
        });
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.as_str()));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The status that fits a code.
#[must_use]
pub fn status(code: Code) -> StatusCode {
    match code {
        Code::RequestMalformed | Code::RequestUnknownField | Code::AccountMalformed | Code::NonceMalformed | Code::UploadEmpty | Code::UploadBroken => {
            StatusCode::BAD_REQUEST
        }
        // Not 408: callers send the whole request again on that.
        Code::UploadTooSlow => StatusCode::BAD_REQUEST,
        Code::ApiKeyRefused => StatusCode::UNAUTHORIZED,
        Code::NotFound | Code::NothingBound => StatusCode::NOT_FOUND,
        Code::NonceUsed
        | Code::NonceOtherKind
        | Code::AccountAlreadyBound
        | Code::CertificateAlreadyBound
        | Code::RetentionNotOver
        | Code::RenewalSameCertificate
        | Code::RenewalOldKeyNeeded => StatusCode::CONFLICT,
        Code::NonceOtherSession | Code::BindingSuspended => StatusCode::FORBIDDEN,
        Code::RequestTooLarge | Code::UploadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::PortalBusy => StatusCode::SERVICE_UNAVAILABLE,
        Code::StorageFailed => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        // The request was understood and refused for what it says.
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// The best of the languages that the caller accepts (RFC 9110 section 12.5.4); Chinese where it says nothing.
#[must_use]
pub fn language(headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut best: Option<(Language, f32)> = None;
    for range in accepted.split(',').take(32) {
        let (tag, quality) = range.split_once(';').unwrap_or((range, "q=1"));
        let quality = quality.trim().strip_prefix("q=").and_then(|text| text.parse::<f32>().ok()).unwrap_or(0.0);
        let tag = tag.trim();
        let primary = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        if matches!(primary.as_str(), "zh" | "en") && quality > best.map_or(0.0, |(_, best)| best) {
            best = Some((Language::from_tag(tag), quality));
        }
    }
    best.map_or(Language::ZhCn, |(language, _)| language)
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Problem { failure, retry_after: None }
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Failure::new(code).into()
    }
}

/// The cause goes to the log; the caller is told only that it is not its fault. Nothing that was not committed is ever
/// answered with success.
impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "database");
        match error {
            sqlx::Error::PoolTimedOut => Problem::from(Code::PortalBusy).retry_after(5),
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) => Code::Internal.into(),
            _ => Problem::from(Code::StorageFailed).retry_after(5),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Busy { seconds } | Refused::Running { seconds } => Problem::from(Code::PortalBusy).retry_after(seconds),
            Refused::TooSlow { rate, minutes } => Failure::new(Code::UploadTooSlow).with("rate", rate).with("minutes", minutes).into(),
            Refused::Broken => Code::UploadBroken.into(),
            Refused::TooLarge { limit } => Failure::new(Code::UploadTooLarge).with("limit", limit).into(),
            Refused::Empty => Code::UploadEmpty.into(),
            Refused::Storage(error) => {
                tracing::error!(%error, "document");
                Code::StorageFailed.into()
            }
            other => {
                tracing::error!(error = %other, "upload");
                Code::Internal.into()
            }
        }
    }
}

/// The middleware in [`crate::web`] writes the body, because only it knows the language.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = status(self.failure.code).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};
    use sealbridge_relying_party::Language;

    #[test]
    fn languages() {
        for (header, expected) in [
            ("", Language::ZhCn),
            ("en", Language::En),
            ("en-GB,en;q=0.9", Language::En),
            ("zh-TW", Language::ZhCn),
            ("en;q=0.4, zh-CN;q=0.6", Language::ZhCn),
            ("fr, en;q=0.5", Language::En),
            ("fr", Language::ZhCn),
            ("en;q=0", Language::ZhCn),
            ("EN-us", Language::En),
            ("en;q=x", Language::ZhCn),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("accept-language", HeaderValue::from_str(header).unwrap());
            assert_eq!(super::language(&headers), expected, "{header}");
        }
    }
}
