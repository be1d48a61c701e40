//! Files: bytes in an object store under `data/files`, what they are in the catalog.
//!
//! The way of an upload: first bytes against the allow list, room taken in the catalog, then either
//! streamed to its place (documents) or set aside, decoded and encoded again (images). The answer
//! goes out after the bytes, their directory entry and the catalog row are synced, so a message can
//! only name a file that survives power loss. Object names are the file's 128 random bits:
//! `{id[0..2]}/{id}` and `{id[0..2]}/{id}.thumb`.
//!
//! Quotas hold for uploads at the same time, too: room is reserved in the row before a byte is stored. A
//! file that goes is first taken from everybody in the catalog, then its bytes are removed, then that
//! is noted; whatever fails on the way is done by the sweep.
//!
//! A file belongs to one conversation. Whoever asks for it must be able to read that conversation;
//! the routes check that on every request, since the id alone grants nothing.

use std::{
    io,
    ops::Range,
    path::{Path as FsPath, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use frontdesk_catalog::{Catalog, Error as CatalogError, Uploader};
use frontdesk_core::{
    chat,
    id::{AccountId, ConversationId},
};
use futures_util::{Stream, StreamExt, stream::BoxStream};
use object_store::{
    Error as StoreError, GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt,
    PutPayload, local::LocalFileSystem, path::Path,
};
use tokio::{sync::Semaphore, time::Instant};

use crate::config::FileLimits;

mod allowed;
#[cfg(fuzzing)]
pub mod fuzzing;
mod kind;
mod local;
pub(crate) mod name;
pub(crate) mod range;
mod raster;
mod rows;

pub(crate) use allowed::Allowed;
use kind::Kind;
pub use rows::Stored;
use rows::Unfinished;
pub(crate) use rows::uploader;

/// How long the next bytes of an upload may take.
const CHUNK_TIMEOUT: Duration = Duration::from_millis(frontdesk_core::limits::UPLOAD_PAUSE_MS);
/// How long an image waits for its turn.
const WORKER_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a whole upload may take.
const UPLOAD_TIMEOUT: Duration = Duration::from_mins(10);
/// Part size of streamed uploads; S3 wants 5 MiB at least.
const PART_BYTES: usize = 5 * 1024 * 1024;

/// Memory an upload takes before anything of it has come in.
const HEAD_ROOM_BYTES: u64 = 64 * 1024;

/// Why a file was not stored or not found.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// No such file in this conversation.
    #[error("there is no such file")]
    Unknown,
    /// No bytes.
    #[error("the file is empty")]
    Empty,
    /// Over the limit.
    #[error("a file may have at most {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// Over the limit for images.
    #[error("an image may have at most {pixels_max} pixels")]
    TooManyPixels {
        /// The limit.
        pixels_max: u64,
    },
    /// Not on the allow list.
    #[error("files of this type are not accepted")]
    Type,
    /// The visitor or the account stores as much as it may.
    #[error("the {whose} has no room for this file")]
    Quota {
        /// `visitor` or `account`.
        whose: &'static str,
    },
    /// An image that cannot be decoded.
    #[error("the image cannot be read")]
    Unreadable(#[source] image::ImageError),
    /// Too many images at once.
    #[error("too many uploads at once, try again")]
    Busy,
    /// The client stopped sending.
    #[error("the upload ended early")]
    Aborted(#[source] BoxError),
    /// The disk is full.
    #[error("there is no room to store files")]
    Full(#[source] StoreError),
    /// The store failed.
    #[error("the file store failed to {operation}")]
    Store {
        /// What was tried.
        operation: &'static str,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// The catalog failed.
    #[error("the file's row could not be handled")]
    Catalog(#[source] CatalogError),
}

/// Stores, describes and serves files; cheap to clone.
#[derive(Clone)]
pub struct Files {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn ObjectStore>,
    /// Where the store is a directory, on the disk that holds the messages as well.
    dir: Option<PathBuf>,
    catalog: Catalog,
    limits: FileLimits,
    workers: Arc<Semaphore>,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}

/// What arrives.
pub(crate) struct Upload<'a> {
    pub(crate) account: AccountId,
    pub(crate) conversation: ConversationId,
    pub(crate) uploader: Uploader,
    pub(crate) name: &'a str,
    pub(crate) declared_bytes: Option<u64>,
    pub(crate) allowed: Allowed,
}

/// Which bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    Thumbnail,
    /// An image before it was written anew; never served.
    Incoming,
}

impl Files {
    /// Files under a directory, created where it is missing; writes are synced.
    pub fn open(dir: &FsPath, catalog: Catalog, limits: FileLimits) -> Result<Self, FileError> {
        let made = std::fs::create_dir_all(dir).map_err(local_error);
        made.map_err(store_error("create its directory"))?;
        let store = LocalFileSystem::new_with_prefix(dir)
            .map_err(store_error("open its directory"))?
            .with_fsync(true);
        Ok(Self::new(Arc::new(store), Some(dir.to_owned()), catalog, limits))
    }

    /// Files in any store elsewhere that keeps what it has acknowledged.
    pub fn over(store: Arc<dyn ObjectStore>, catalog: Catalog, limits: FileLimits) -> Self {
        Self::new(store, None, catalog, limits)
    }

    fn new(
        store: Arc<dyn ObjectStore>,
        dir: Option<PathBuf>,
        catalog: Catalog,
        limits: FileLimits,
    ) -> Self {
        let workers = limits.image_workers.max(1);
        Self {
            inner: Arc::new(Inner {
                store,
                dir,
                catalog,
                limits,
                workers: Arc::new(Semaphore::new(workers)),
            }),
        }
    }

    /// Stores a file that lies in memory, under the same rules as an upload.
    pub async fn keep(
        &self,
        account: AccountId,
        conversation: ConversationId,
        uploader: Uploader,
        name: &str,
        bytes: Bytes,
    ) -> Result<chat::File, FileError> {
        let allowed = self.allowed(account, None).await?;
        let declared_bytes = Some(bytes.len() as u64);
        let upload = Upload { account, conversation, uploader, name, declared_bytes, allowed };
        self.store(upload, futures_util::stream::iter([Ok::<_, BoxError>(bytes)])).await
    }

    /// Whether files take room from the disk's reserve.
    pub(crate) fn shares_disk(&self) -> bool {
        self.inner.dir.is_some()
    }

    /// Stores what the stream brings; returns once it would survive power loss.
    pub(crate) async fn store<S, E>(
        &self,
        upload: Upload<'_>,
        body: S,
    ) -> Result<chat::File, FileError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let bytes_max = upload.allowed.file_bytes_max;
        if upload.declared_bytes.is_some_and(|bytes| bytes > bytes_max) {
            return Err(FileError::TooLarge { bytes_max });
        }
        let body = body.map(|chunk| chunk.map_err(Into::into)).boxed();
        let until = Instant::now() + UPLOAD_TIMEOUT;
        let mut body = Reader { body, left: bytes_max, bytes_max, bounded_by: None, until };
        // A small file is copied once; a large one, whose size is only said so far, takes little.
        let expected = upload.declared_bytes.map_or(0, |bytes| bytes.min(HEAD_ROOM_BYTES));
        let mut head = BytesMut::with_capacity(expected as usize);
        let mut whole = false;
        while head.len() < kind::HEAD_BYTES {
            match body.next().await? {
                Some(chunk) => head.extend_from_slice(&chunk),
                None => {
                    whole = true;
                    break;
                }
            }
        }
        if head.is_empty() {
            return Err(FileError::Empty);
        }
        let kind = kind::detect(&head, whole).ok_or(FileError::Type)?;
        let unfinished = self.begin(&upload).await?;
        let id = unfinished.id.as_str();
        let written = match body.bound(&unfinished, head.len()) {
            Ok(()) => self.write(id, kind, head, body).await,
            Err(error) => Err(error),
        };
        let finished = match written {
            Ok(written) => self.finish(id, &upload, written).await,
            Err(error) => Err(error),
        };
        match finished {
            Ok(file) => {
                unfinished.keep();
                Ok(file)
            }
            Err(error) => {
                unfinished.discard(&error).await;
                Err(error)
            }
        }
    }

    async fn write(
        &self,
        id: &str,
        kind: Kind,
        head: BytesMut,
        body: Reader,
    ) -> Result<Written, FileError> {
        match kind {
            Kind::Image(raster) => self.write_image(id, raster, head, body).await,
            Kind::Other(plain) => {
                let size_bytes = self.write_stream(id, Part::Whole, head, body).await?;
                Ok(Written {
                    media_type: plain.media_type,
                    size_bytes,
                    width: 0,
                    height: 0,
                    has_thumbnail: false,
                })
            }
        }
    }

    /// Streams the body to its place and returns its size.
    async fn write_stream(
        &self,
        id: &str,
        part: Part,
        head: BytesMut,
        mut body: Reader,
    ) -> Result<u64, FileError> {
        let mut first = head;
        let ended = body.fill(&mut first).await?;
        if ended {
            // One request where a remote store wants three for parts.
            let size_bytes = first.len() as u64;
            self.put(id, part, first.freeze()).await?;
            return Ok(size_bytes);
        }
        let mut upload = self
            .inner
            .store
            .put_multipart(&object(id, part))
            .await
            .map_err(store_error("begin a file"))?;
        let copied = match copy(upload.as_mut(), first, &mut body).await {
            Ok(size_bytes) => match upload.complete().await {
                Ok(_) => return Ok(size_bytes),
                Err(error) => Err(store_error("finish a file")(error)),
            },
            Err(error) => Err(error),
        };
        if let Err(abort) = upload.abort().await {
            tracing::warn!(file.id = id, error = %abort, "aborted upload left a part behind");
        }
        copied
    }

    /// Images wait in the store, not in memory, until a worker is free: a client that sends slowly
    /// holds up nobody.
    async fn write_image(
        &self,
        id: &str,
        raster: kind::Raster,
        head: BytesMut,
        body: Reader,
    ) -> Result<Written, FileError> {
        self.write_stream(id, Part::Incoming, head, body).await?;
        let worker = Arc::clone(&self.inner.workers).acquire_owned();
        let worker = tokio::time::timeout(WORKER_TIMEOUT, worker)
            .await
            .map_err(|_| FileError::Busy)?
            .map_err(|_| FileError::Busy)?;
        let incoming = object(id, Part::Incoming);
        let found = self.inner.store.get(&incoming).await.map_err(store_error("read an image"))?;
        let bytes = found.bytes().await.map_err(store_error("read an image"))?;
        self.inner.store.delete(&incoming).await.map_err(store_error("remove an image"))?;
        let limits = &self.inner.limits;
        let (pixels_max, side) = (limits.image_pixels_max, limits.thumbnail_side);
        let work = move || {
            let picture = raster::rewrite(raster, &bytes, pixels_max, side);
            // Held to the end of the work even where the client has gone away meanwhile.
            drop(worker);
            picture
        };
        let picture = tokio::task::spawn_blocking(work)
            .await
            .map_err(|panic| {
                FileError::Unreadable(image::ImageError::IoError(io::Error::other(panic)))
            })?
            .map_err(|error| match error {
                raster::RasterError::TooManyPixels => FileError::TooManyPixels { pixels_max },
                raster::RasterError::Broken(error) => FileError::Unreadable(error),
            })?;
        let size_bytes = picture.bytes.len() as u64;
        let has_thumbnail = picture.thumbnail.is_some();
        if let Some(thumbnail) = picture.thumbnail {
            self.put(id, Part::Thumbnail, thumbnail.into()).await?;
        }
        self.put(id, Part::Whole, picture.bytes.into()).await?;
        Ok(Written {
            media_type: picture.media_type,
            size_bytes,
            width: picture.width,
            height: picture.height,
            has_thumbnail,
        })
    }

    async fn put(&self, id: &str, part: Part, bytes: Bytes) -> Result<(), FileError> {
        let (object, failed) = (object(id, part), store_error("write a file"));
        match &self.inner.dir {
            Some(dir) => {
                let written = local::write(dir.join(object.as_ref()), bytes).await;
                written.map_err(|error| failed(local_error(error)))
            }
            None => {
                let written = self.inner.store.put(&object, PutPayload::from(bytes)).await;
                written.map(drop).map_err(failed)
            }
        }
    }

    /// The bytes of a stored file, or these of them, as they come from the store, and how many the
    /// whole has.
    pub(crate) async fn read(
        &self,
        id: &str,
        part: Part,
        range: Option<Range<u64>>,
    ) -> Result<(u64, BoxStream<'static, Result<Bytes, StoreError>>), FileError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        match self.inner.store.get_opts(&object(id, part), options).await {
            Ok(found) => Ok((found.meta.size, found.into_stream())),
            Err(StoreError::NotFound { .. }) => Err(FileError::Unknown),
            Err(error) => Err(store_error("read a file")(error)),
        }
    }

    /// Removes the bytes; a file that is gone already is fine.
    async fn remove_objects(&self, id: &str) -> Result<(), FileError> {
        for part in [Part::Whole, Part::Thumbnail, Part::Incoming] {
            match self.inner.store.delete(&object(id, part)).await {
                Ok(()) | Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(store_error("remove a file")(error)),
            }
        }
        Ok(())
    }
}

/// What an upload became.
struct Written {
    media_type: &'static str,
    size_bytes: u64,
    width: u32,
    height: u32,
    has_thumbnail: bool,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body with its limit and its patience.
struct Reader {
    body: BoxStream<'static, Result<Bytes, BoxError>>,
    left: u64,
    bytes_max: u64,
    /// Whose quota ends the body before the largest size does.
    bounded_by: Option<&'static str>,
    until: Instant,
}

impl Reader {
    /// Lets in what was reserved, and no more; some of it has come in.
    fn bound(&mut self, upload: &Unfinished, came_bytes: usize) -> Result<(), FileError> {
        self.bounded_by = upload.bounded_by;
        let left = upload.reserved_bytes.checked_sub(came_bytes as u64);
        self.left = left.ok_or_else(|| self.too_much())?;
        Ok(())
    }

    fn too_much(&self) -> FileError {
        match self.bounded_by {
            Some(whose) => FileError::Quota { whose },
            None => FileError::TooLarge { bytes_max: self.bytes_max },
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, FileError> {
        let next = self.until.min(Instant::now() + CHUNK_TIMEOUT);
        let chunk = tokio::time::timeout_at(next, self.body.next())
            .await
            .map_err(|elapsed| FileError::Aborted(elapsed.into()))?;
        let Some(chunk) = chunk else { return Ok(None) };
        let chunk = chunk.map_err(FileError::Aborted)?;
        let left = self.left.checked_sub(chunk.len() as u64);
        self.left = left.ok_or_else(|| self.too_much())?;
        Ok(Some(chunk))
    }

    /// Reads until a part is full; says whether the body has ended before.
    async fn fill(&mut self, part: &mut BytesMut) -> Result<bool, FileError> {
        while part.len() < PART_BYTES {
            match self.next().await? {
                Some(chunk) => part.extend_from_slice(&chunk),
                None => return Ok(true),
            }
        }
        Ok(false)
    }
}

async fn copy(
    upload: &mut dyn MultipartUpload,
    mut part: BytesMut,
    body: &mut Reader,
) -> Result<u64, FileError> {
    let mut size = 0;
    loop {
        let ended = body.fill(&mut part).await?;
        size += part.len() as u64;
        let full = std::mem::take(&mut part).freeze();
        if !full.is_empty() {
            upload.put_part(full.into()).await.map_err(store_error("write a file"))?;
        }
        if ended {
            return Ok(size);
        }
    }
}

fn object(id: &str, part: Part) -> Path {
    let folder = id.get(..2).unwrap_or("00");
    match part {
        Part::Whole => Path::from(format!("{folder}/{id}")),
        Part::Thumbnail => Path::from(format!("{folder}/{id}.thumb")),
        Part::Incoming => Path::from(format!("{folder}/{id}.incoming")),
    }
}

fn local_error(error: io::Error) -> StoreError {
    StoreError::Generic { store: "local", source: Box::new(error) }
}

/// Names the operation, and tells a full disk from every other failure.
fn store_error(operation: &'static str) -> impl Fn(StoreError) -> FileError {
    move |source| {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&source);
        while let Some(error) = cause {
            let full = error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::StorageFull);
            if full {
                return FileError::Full(source);
            }
            cause = error.source();
        }
        FileError::Store { operation, source }
    }
}
