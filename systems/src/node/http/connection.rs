//! One connection of a client.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::MAX_BODY_BYTES;
use crate::api::{Api, ErrorBody, ErrorCode, HttpRequest, HttpResponse, Method};
use crate::node::driver::{Asker, Stopped};
use crate::server::Server;

/// A body that is refused is still read this far: a client hears the refusal only when it has sent its request.
const MAX_DISCARDED_BYTES: usize = 16 * MAX_BODY_BYTES;

/// Serves one connection until the client closes it, or `stop` says so.
pub(super) async fn serve<S, A>(
    stream: TcpStream,
    address: SocketAddr,
    api: Arc<A>,
    asker: Asker<S>,
    mut stop: watch::Receiver<bool>,
) where
    S: Server + 'static,
    A: Api<Request = S::Request, Response = S::Response>,
{
    if let Err(error) = stream.set_nodelay(true) {
        return tracing::debug!(%address, %error, "a connection broke at once");
    }
    let service = service_fn(|request| {
        let (api, asker) = (&api, &asker);
        async move { Ok::<_, Infallible>(into_hyper(answer(request, api.as_ref(), asker).await)) }
    });
    let connection = http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = super::told_to_stop(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%address, %error, "a connection broke");
    }
}

async fn answer<S, A>(request: Request<Incoming>, api: &A, asker: &Asker<S>) -> HttpResponse
where
    S: Server,
    A: Api<Request = S::Request, Response = S::Response>,
{
    let request = match read(request).await {
        Ok(request) => request,
        Err(refusal) => return refusal,
    };
    if request.path_and_query == "/v1/status" {
        return match (request.method, asker.status().await) {
            (Method::Get, Ok(status)) => HttpResponse::ok(&status),
            (Method::Get, Err(Stopped)) => stopped(),
            (Method::Put | Method::Post | Method::Delete, _) => {
                ErrorBody::new(ErrorCode::MethodNotAllowed, "/v1/status takes GET").into_response()
            }
        };
    }
    match api.route(&request) {
        Err(refusal) => refusal,
        Ok(request) => match asker.ask(request).await {
            Ok(response) => api.respond(response),
            Err(Stopped) => stopped(),
        },
    }
}

fn stopped() -> HttpResponse {
    ErrorBody::new(ErrorCode::OutcomeUnknown, "the node stops; the request may have happened or not").into_response()
}

/// Reads a request with its whole body.
async fn read(request: Request<Incoming>) -> Result<HttpRequest, HttpResponse> {
    let (head, body) = request.into_parts();
    let body = read_body(body).await?;
    let method = Method::parse(head.method.as_str()).ok_or_else(|| {
        let message = format!("no path takes {}; there are GET, PUT, POST and DELETE", head.method);
        ErrorBody::new(ErrorCode::MethodNotAllowed, message).into_response()
    })?;
    let path_and_query = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    Ok(HttpRequest { method, path_and_query, body })
}

async fn read_body(mut body: Incoming) -> Result<Bytes, HttpResponse> {
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    let mut received = 0;
    while !body.is_end_stream()
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|error| {
            let message = format!("the body can't be read: {error}");
            ErrorBody::new(ErrorCode::BadRequest, message).into_response()
        })?;
        let Ok(data) = frame.into_data() else { continue };
        received += data.len();
        if received > MAX_DISCARDED_BYTES {
            break;
        }
        if received > MAX_BODY_BYTES {
            joined.clear();
        } else if first.is_empty() && joined.is_empty() {
            first = data;
        } else {
            joined.extend_from_slice(&std::mem::take(&mut first));
            joined.extend_from_slice(&data);
        }
    }
    if received > MAX_BODY_BYTES {
        let message = format!("a body may have {MAX_BODY_BYTES} bytes");
        return Err(ErrorBody::new(ErrorCode::TooLarge, message).into_response());
    }
    Ok(if joined.is_empty() { first } else { joined.freeze() })
}

fn into_hyper(response: HttpResponse) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(response.body));
    *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
