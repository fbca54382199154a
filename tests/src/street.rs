//! Several nodes of one house: one issuer, one database, a port each.

use std::net::SocketAddr;
use std::sync::Arc;

use server::app::App;
use server::serve::serve;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use crate::database::{Database, Site};
use crate::load::scene::Scene;
use crate::load::wire::{Answer, Wire};
use crate::postgres::Cluster;

/// The nodes, and the story that was told at the first of them.
pub struct Street {
    /// The story.
    pub scene: Scene,
    /// The nodes.
    pub nodes: Vec<Node>,
    cluster: Option<Cluster>,
    _site: Option<Site>,
    _folder: TempDir,
}

/// A node.
pub struct Node {
    /// Its inside.
    pub app: Arc<App>,
    /// Where it listens.
    pub address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Street {
    /// Opens `count` nodes on a new database. SQLite is for one node only.
    pub async fn open(database: Database, count: usize) -> Self {
        let site = database.build().await;
        let url = site.url.clone();
        Self::build(&url, count, Some(site), None).await
    }

    /// As many nodes as the database is made for: two, or one on SQLite.
    pub async fn on(database: Database) -> Self {
        Self::open(database, if database == Database::Sqlite { 1 } else { 2 }).await
    }

    /// Opens `count` nodes on a PostgreSQL of their own, which can be stopped.
    pub async fn on_own_postgres(count: usize) -> Self {
        let cluster = Cluster::start().unwrap();
        let url = cluster.url("postgres");
        Self::build(&url, count, None, Some(cluster)).await
    }

    async fn build(url: &str, count: usize, site: Option<Site>, cluster: Option<Cluster>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut listeners = Vec::new();
        for _ in 0..count {
            listeners.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
        }
        let address = listeners[0].local_addr().unwrap();
        let scene = Scene::set(folder.path(), url, address).await.unwrap();
        let mut nodes = Vec::new();
        for listener in listeners {
            let (app, address) = (scene.open().await.unwrap(), listener.local_addr().unwrap());
            let serving = serve(Arc::clone(&app), listener, std::future::pending());
            let serving = tokio::spawn(async { drop(serving.await) });
            nodes.push(Node { app, address, serving });
        }
        Self { scene, nodes, cluster, _site: site, _folder: folder }
    }

    /// The database goes away: at once, as in a crash (`immediate`), or in order (`fast`).
    pub fn stop_database(&self, mode: &str) {
        self.cluster.as_ref().unwrap().stop(mode).unwrap();
    }

    /// The database comes back.
    pub fn start_database(&self) {
        self.cluster.as_ref().unwrap().go_on().unwrap();
    }

    /// Sends one request to one node.
    pub async fn send(&self, node: usize, request: &[u8]) -> Answer {
        Wire::connect(self.nodes[node].address).await.unwrap().send(request).await.unwrap()
    }

    /// Sends all requests at the same moment, to one node after the other.
    pub async fn race(&self, requests: Vec<Vec<u8>>) -> Vec<Answer> {
        let start = Arc::new(Barrier::new(requests.len()));
        let mut runners = Vec::new();
        for (request, node) in requests.into_iter().zip(self.nodes.iter().cycle()) {
            let mut wire = Wire::connect(node.address).await.unwrap();
            let start = Arc::clone(&start);
            runners.push(tokio::spawn(async move {
                start.wait().await;
                wire.send(&request).await.unwrap()
            }));
        }
        let mut answers = Vec::new();
        for runner in runners {
            answers.push(runner.await.unwrap());
        }
        answers
    }
}

/// Opens `count` nodes at the same moment on a database in which there is nothing yet.
pub async fn open_at_once(database: Database, count: usize) -> Vec<anyhow::Result<Arc<App>>> {
    let (site, folder) = (database.build_empty().await, tempfile::tempdir().unwrap());
    let address = crate::program::free_address().unwrap();
    let scene = Arc::new(Scene::write(folder.path(), &site.url, address).unwrap());
    let start = Arc::new(Barrier::new(count));
    let opening: Vec<_> = (0..count)
        .map(|_| {
            let (scene, start) = (Arc::clone(&scene), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                scene.open().await
            })
        })
        .collect();
    let mut opened = Vec::new();
    for one in opening {
        opened.push(one.await.unwrap());
    }
    opened
}
