#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http_client.hpp"

namespace flashsale::test {

/// One GET whose answer comes in chunks; they are taken one by one, and need not fit into memory
/// together. What is not taken is not read from the connection. Throws std::runtime_error if there
/// is no such answer, or nothing comes for a minute.
class download {
public:
    download(std::uint16_t port, const std::string& path, const http_client::headers& extra = {});
    ~download();

    unsigned status() const;

    /// The next chunk of the body, valid until the next call; empty: there are no more.
    std::string_view next();
    /// After that: the end was the body's, and not only the connection's.
    bool whole() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace flashsale::test
