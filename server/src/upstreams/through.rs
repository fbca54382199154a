//! The requests of the `openidconnect` library, made by [`Outbound`] within its bounds.

use std::future::Future;
use std::pin::Pin;

use openidconnect::http::StatusCode;
use openidconnect::http::header::{CONTENT_TYPE, HeaderValue};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use url::Url;

use crate::outbound::{Outbound, OutboundError};

/// Makes the library's requests.
pub struct Through<'o>(pub &'o Outbound);

impl<'c> AsyncHttpClient<'c> for Through<'_> {
    type Error = OutboundError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = Url::parse(&parts.uri.to_string()).map_err(|_| OutboundError::NotHttps)?;
            let answer = self.0.request(parts.method, &url, parts.headers, body).await?;
            // A provider that is out of order, or has too much to do, says nothing about anybody.
            if answer.status >= 500 || answer.status == 429 {
                return Err(OutboundError::OutOfOrder);
            }
            let mut response = HttpResponse::new(answer.body);
            *response.status_mut() =
                StatusCode::from_u16(answer.status).map_err(|_| OutboundError::Failed)?;
            let content_type = answer.content_type.and_then(|kind| HeaderValue::from_str(&kind).ok());
            if let Some(content_type) = content_type {
                response.headers_mut().insert(CONTENT_TYPE, content_type);
            }
            Ok(response)
        })
    }
}
