import Bytes
import CCurl
import Glibc

/// One thread that drives all HTTP transfers with `curl_multi`; connections are reused between them.
///
/// The thread ends when the loop is no longer referenced and its last transfer is over. Proxies come from the
/// environment, by libcurl's own rules.
final class CurlLoop: Sendable {
    let shared: Shared

    /// - Throws: nothing; a process that cannot have a thread or a curl handle cannot go on.
    init(certificates: String? = nil) {
        shared = Shared(certificates: certificates)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(shared).toOpaque()
        // The thread handles no signals: SIGTERM belongs to the others, and a write to a closed TLS connection must
        // not end the process (with NOSIGNAL libcurl no longer guards against SIGPIPE).
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &before)
        let status = pthread_create(
            &thread, nil,
            { context in
                guard let context = context else { return nil }
                Unmanaged<Shared>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context)
        pthread_sigmask(SIG_SETMASK, &before, nil)
        precondition(status == 0, "pthread_create failed with \(status)")
        pthread_detach(thread)
    }

    deinit { shared.stop() }

    /// Sends a request and waits for the whole answer.
    ///
    /// Cancelling the task ends the transfer with `cancelled`, unless it is `shielded`: what must be done even when
    /// all is being given up, within its deadline.
    func perform(_ request: HTTPRequest, shielded: Bool = false) async -> Result<HTTPResponse, TransferError> {
        let transfer = Transfer(request)
        guard !shielded else {
            return await withCheckedContinuation { continuation in
                transfer.continuation = continuation
                shared.submit(transfer)
            }
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfer.continuation = continuation
                shared.submit(transfer)
            }
        } onCancel: {
            // This may run before `submit`, which then finds the flag.
            shared.cancel(transfer)
        }
    }

    /// What the thread and the callers share; `multi`, `active` and `idle` belong to the thread.
    final class Shared: @unchecked Sendable {
        private struct Inbox {
            var submitted: [Transfer] = []
            var cancelled: [Transfer] = []
            var isStopping = false
        }

        private static let isInitialized = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

        private let inbox = Locked(Inbox())
        private let multi: UnsafeMutableRawPointer
        private let certificates: String?
        private var active: [UnsafeMutableRawPointer: Transfer] = [:]
        private var idle: [UnsafeMutableRawPointer] = []

        init(certificates: String?) {
            guard Self.isInitialized, let multi = curl_multi_init() else {
                preconditionFailure("libcurl cannot be initialized")
            }
            self.multi = multi
            self.certificates = certificates
        }

        func submit(_ transfer: Transfer) {
            let isCancelled = inbox.withLock { inbox -> Bool in
                guard !transfer.isCancelled else { return true }
                inbox.submitted.append(transfer)
                wake()
                return false
            }
            if isCancelled { transfer.finish(.failure(Self.cancellation)) }
        }

        func cancel(_ transfer: Transfer) {
            inbox.withLock { inbox in
                transfer.isCancelled = true
                inbox.cancelled.append(transfer)
                wake()
            }
        }

        func stop() {
            inbox.withLock { inbox in
                inbox.isStopping = true
                wake()
            }
        }

        // Called under the lock: the thread frees `multi` only after it has seen, under the lock, that it is to stop.
        private func wake() { curl_multi_wakeup(multi) }

        private static let cancellation = TransferError(.cancelled, "cancelled")

        func run() {
            while true {
                let (submitted, cancelled, isStopping) = inbox.withLock { inbox in
                    defer {
                        inbox.submitted = []
                        inbox.cancelled = []
                    }
                    return (inbox.submitted, inbox.cancelled, inbox.isStopping)
                }
                for transfer in submitted { start(transfer) }
                for transfer in cancelled {
                    guard let (handle, _) = active.first(where: { $0.value === transfer }) else { continue }
                    finish(handle, .failure(Self.cancellation))
                }
                if isStopping && active.isEmpty { break }
                var running: CInt = 0
                curl_multi_perform(multi, &running)
                var left: CInt = 0
                var isIdle = true
                while let message = curl_multi_info_read(multi, &left) {
                    guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else {
                        continue
                    }
                    isIdle = false
                    let code = ccurl_msg_result(message)
                    if let transfer = active[handle] { finish(handle, transfer.outcome(code)) }
                }
                // What has just ended may have made the loop's last work; look again before sleeping.
                if isIdle { curl_multi_poll(multi, nil, 0, active.isEmpty ? 60_000 : 1000, nil) }
            }
            for handle in idle { curl_easy_cleanup(handle) }
            curl_multi_cleanup(multi)
        }

        private func start(_ transfer: Transfer) {
            guard let handle = idle.popLast() ?? curl_easy_init() else {
                return transfer.finish(.failure(TransferError(.malformed, "libcurl is out of memory")))
            }
            curl_easy_reset(handle)
            transfer.prepare(handle, certificates: certificates)
            active[handle] = transfer
            let status = curl_multi_add_handle(multi, handle)
            if status != CURLM_OK {
                let reason = String(cString: curl_multi_strerror(status))
                finish(handle, .failure(TransferError(.malformed, reason)))
            }
        }

        private func finish(_ handle: UnsafeMutableRawPointer, _ outcome: Transfer.Outcome) {
            // Off the loop first: after this, no callback touches the transfer or its parts.
            curl_multi_remove_handle(multi, handle)
            let transfer = active.removeValue(forKey: handle)
            idle.append(handle)
            transfer?.finish(outcome)
        }
    }
}
