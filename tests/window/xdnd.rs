//! A drag source for the tests: another X client that drops files on the window by the XDND protocol, version 5
//! (freedesktop.org).

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::path::Path;
use std::time::{Duration, Instant};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

const VERSION: u32 = 5;
/// How long the target may take to answer one message.
const PATIENCE: Duration = Duration::from_secs(20);

/// The source of a drag.
pub struct Source {
    connection: RustConnection,
    root: Window,
    own: Window,
    /// The files as `text/uri-list`.
    list: Vec<u8>,
}

impl Source {
    /// A source of these files on a display.
    pub fn new(display: &str, files: &[&Path]) -> Self {
        let (connection, screen) = x11rb::connect(Some(display)).unwrap();
        let root = connection.setup().roots[screen].root;
        let own = connection.generate_id().unwrap();
        connection
            .create_window(0, own, root, 0, 0, 1, 1, 0, WindowClass::INPUT_OUTPUT, 0, &CreateWindowAux::new())
            .unwrap();
        let list = files.iter().fold(String::new(), |list, file| {
            let path = utf8_percent_encode(file.to_str().unwrap(), NON_ALPHANUMERIC).to_string();
            format!("{list}file://{}\r\n", path.replace("%2F", "/"))
        });
        Self { connection, root, own, list: list.into_bytes() }
    }

    fn atom(&self, name: &str) -> u32 {
        self.connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
    }

    /// The window with this title that takes drops.
    fn target(&self, title: &str) -> Option<Window> {
        let (aware, mut waiting) = (self.atom("XdndAware"), vec![self.root]);
        while let Some(window) = waiting.pop() {
            let property = |name: u32| {
                let reply = self.connection.get_property(false, window, name, AtomEnum::ANY, 0, 64);
                reply.ok().and_then(|reply| reply.reply().ok()).map(|reply| reply.value).unwrap_or_default()
            };
            let named = property(AtomEnum::WM_NAME.into()) == title.as_bytes();
            if named && !property(aware).is_empty() {
                return Some(window);
            }
            waiting.extend(self.connection.query_tree(window).ok()?.reply().ok()?.children);
        }
        None
    }

    fn send(&self, target: Window, kind: &str, data: [u32; 5]) {
        let message = ClientMessageEvent::new(32, target, self.atom(kind), data);
        self.connection.send_event(false, target, EventMask::NO_EVENT, message).unwrap();
        self.connection.flush().unwrap();
    }

    /// Gives the list of files to the client that asks for it.
    fn answer(&self, request: &SelectionRequestEvent) {
        self.connection
            .change_property8(
                PropMode::REPLACE,
                request.requestor,
                request.property,
                request.target,
                &self.list,
            )
            .unwrap();
        let notify = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property: request.property,
        };
        self.connection.send_event(false, request.requestor, EventMask::NO_EVENT, notify).unwrap();
        self.connection.flush().unwrap();
    }

    /// Waits for this message, and answers requests for the files meanwhile. Returns its data.
    fn wait(&self, kind: &str) -> Option<[u32; 5]> {
        let (kind, begun) = (self.atom(kind), Instant::now());
        while begun.elapsed() < PATIENCE {
            match self.connection.poll_for_event().unwrap() {
                Some(Event::SelectionRequest(request)) => self.answer(&request),
                Some(Event::ClientMessage(message)) if message.type_ == kind => {
                    return Some(message.data.as_data32());
                }
                Some(_) => {}
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        None
    }

    /// Drags the files over the window with this title and drops them. Returns whether it took them.
    pub fn drop_on(&self, title: &str) -> bool {
        let Some(target) = self.target(title) else { return false };
        let selection = self.atom("XdndSelection");
        self.connection.set_selection_owner(self.own, selection, x11rb::CURRENT_TIME).unwrap();
        let size = self.connection.get_geometry(target).unwrap().reply().unwrap();
        let (x, y) = (i16::try_from(size.width / 2).unwrap(), i16::try_from(size.height / 2).unwrap());
        let at = self.connection.translate_coordinates(target, self.root, x, y).unwrap().reply().unwrap();
        let place = (u32::from(at.dst_x.unsigned_abs()) << 16) | u32::from(at.dst_y.unsigned_abs());
        self.send(target, "XdndEnter", [self.own, VERSION << 24, self.atom("text/uri-list"), 0, 0]);
        self.send(
            target,
            "XdndPosition",
            [self.own, 0, place, x11rb::CURRENT_TIME, self.atom("XdndActionCopy")],
        );
        let Some(status) = self.wait("XdndStatus") else { return false };
        if status[1] & 1 == 0 {
            return false;
        }
        self.send(target, "XdndDrop", [self.own, 0, x11rb::CURRENT_TIME, 0, 0]);
        self.wait("XdndFinished").is_some_and(|finished| finished[1] & 1 == 1)
    }
}
