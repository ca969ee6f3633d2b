//! The priority of threads that compute: below that of threads that draw, since they share the cores on a small
//! machine without a graphics card.

/// Lowers the priority of this thread.
pub fn lower() {
    // The range is 0 to 99 and 50 is the default: a little less, so that drawing never waits.
    let below_default = thread_priority::ThreadPriorityValue::try_from(35_u8)
        .map(thread_priority::ThreadPriority::Crossplatform);
    if let Ok(priority) = below_default
        && let Err(error) = thread_priority::set_current_thread_priority(priority)
    {
        tracing::debug!("the priority of a thread could not be lowered: {error:?}");
    }
}

/// Lowers the priority of all threads of the global thread pool.
pub fn lower_pool() {
    let pool = rayon::ThreadPoolBuilder::new().start_handler(|_| lower());
    if let Err(error) = pool.build_global() {
        tracing::debug!("the pool was started already: {error}");
    }
}
