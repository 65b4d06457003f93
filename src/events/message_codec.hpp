#pragma once

// A message is a JSON array of events: readable, and as many events as have gathered for the price
// of one.

#include <flashsale/events/log.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flashsale::events {

/// Builds one message's body.
class message_builder {
public:
    bool empty() const { return body_.empty(); }
    std::size_t bytes() const { return body_.size(); }
    void add(std::string_view event);
    std::string take();

private:
    std::string body_;
};

/// The events of a body, each good or poison; nullopt if the body as a whole is no JSON array.
std::optional<std::vector<entry>> decode_message(std::string_view body);

}  // namespace flashsale::events
