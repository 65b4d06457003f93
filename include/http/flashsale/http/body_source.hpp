#pragma once

// Bodies that are made while they are sent: exports, events.

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "flashsale/base/async.hpp"

namespace flashsale::http {

/// A piece of a body; an empty one is its end. Or why there is no more, for the log: the client
/// then sees a body that is cut off.
using body_piece = std::expected<std::string, std::string>;

/// Makes a body piece by piece, on the worker's thread. A piece is asked for when all that came
/// before it has gone to the client's socket, and no two at once, so a client that does not read
/// costs one piece of memory and no work. The source is dropped when its body has ended, when the
/// client has gone, and when the server aborts; what it waits for then comes to nothing.
class body_source {
public:
    virtual ~body_source() = default;

    /// Calls `done` once, before it returns or later. It may drop this.
    virtual void next(callback<body_piece> done) = 0;
};

/// A source whose pieces are made by a coroutine each, on `io`; an exception is a failure.
std::shared_ptr<body_source> make_body_source(asio::io_context& io,
                                              std::function<awaitable<body_piece>()> next);

}  // namespace flashsale::http
