//! The priority of threads that compute: below that of threads that draw. On a machine with few cores, and
//! without a graphics card, both want the same ones.

/// Lowers the priority of this thread.
pub fn lower() {
    // Of 0 to 99, where 50 is usual: a little less, so that drawing never waits and work still proceeds.
    let modest = thread_priority::ThreadPriorityValue::try_from(35_u8)
        .map(thread_priority::ThreadPriority::Crossplatform);
    if let Ok(modest) = modest
        && let Err(error) = thread_priority::set_current_thread_priority(modest)
    {
        tracing::debug!("a thread keeps its priority: {error:?}");
    }
}

/// Lowers the priority of all threads of the pool that computes.
pub fn lower_pool() {
    let pool = rayon::ThreadPoolBuilder::new().start_handler(|_| lower());
    if let Err(error) = pool.build_global() {
        tracing::debug!("the pool was started already: {error}");
    }
}
