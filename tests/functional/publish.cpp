#include "publish.hpp"

#include <flashsale/amqp.hpp>

#include <future>
#include <stdexcept>
#include <utility>

namespace flashsale::test {

void publish(const sandbox& world, std::string body) {
    namespace amqp = flashsale::amqp;
    amqp::options settings;
    settings.url = std::getenv("FLASHSALE_AMQP__URL");
    amqp::topology names;
    names.exchange = world.name() + ".stranger";
    names.queue = world.name() + ".recorder";
    names.binding_key = "stranger";
    names.dead_letter_exchange = world.name() + ".dead";
    names.dead_letter_queue = world.name() + ".dead";
    std::promise<amqp::outcome> done;
    bool sent = false;
    amqp::publisher publisher(
        settings, names, {},
        [&](amqp::message& out) {
            if (std::exchange(sent, true)) return false;
            out = {"stranger", body, 1};
            return true;
        },
        [&](std::uint64_t, amqp::outcome what) { done.set_value(what); });
    publisher.start();
    publisher.wake();
    if (done.get_future().get() != amqp::outcome::confirmed)
        throw std::runtime_error("not confirmed");
    publisher.stop(std::chrono::seconds{1});
}

}  // namespace flashsale::test
