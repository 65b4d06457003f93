#pragma once

#include <filesystem>
#include <string>

namespace flashsale::test {

/// Makes a quorum queue stand still: the process of RabbitMQ that leads it takes its messages, and
/// looks at none. What a channel sends first waits then between its routing and the queue, and is
/// overtaken by what comes on channels that the queue knows.
class stalled_leader {
public:
    /// Takes seconds; hold() and release() do not.
    explicit stalled_leader(const std::string& queue);
    ~stalled_leader();
    stalled_leader(const stalled_leader&) = delete;
    stalled_leader& operator=(const stalled_leader&) = delete;

    void hold();     ///< returns when it stands
    void release();  ///< returns when it goes, and all channels with it
    /// Releases the leader alone: the channels whose first message it has before it stand still
    /// until release(). What is behind that message is in the queue before it, and may be acted
    /// upon.
    void release_but_first_messages();
    /// Whether a message with these words has come to the leader, and waits. Takes a second.
    bool is_waited_for_by(const std::string& words) const;

private:
    void release_leader();

    const std::string queue_;
    std::filesystem::path wanted_, held_, channels_wanted_;
};

}  // namespace flashsale::test
