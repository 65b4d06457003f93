#pragma once

#include <string>
#include <vector>

namespace flashsale::test {

/// The servers that the tests run on, as script/stack manages them: $FLASHSALE_STACK is its path.
/// Everything throws std::runtime_error with the script's output if it fails. A test that stops a
/// server starts it again, whatever happens: use `outage`.
class stack {
public:
    enum class server { redis, rabbitmq, postgres };

    static void kill(server which);           ///< SIGKILL, at once
    static void stop(server which);           ///< SIGSTOP: it no longer answers
    static void resume(server which);         ///< SIGCONT
    static void shutdown(server which);       ///< a clean end
    static void start(server which);          ///< returns when it answers
    static void restart(server which);        ///< SIGKILL and start
    static void restart_empty(server which);  ///< the same, all its data lost

    static std::string redis_cli(const std::vector<std::string>& arguments);
    static std::string rabbitmqctl(const std::vector<std::string>& arguments);
    static std::string psql(const std::vector<std::string>& arguments);

private:
    static std::string script(std::vector<std::string> arguments);
};

/// A server that is gone for a while: brings it back at the end, also when the test fails.
class outage {
public:
    enum class kind { killed, stopped, shut_down };

    outage(stack::server which, kind how);
    ~outage();
    outage(const outage&) = delete;
    outage& operator=(const outage&) = delete;

    void end();  ///< returns when it answers again

private:
    stack::server which_;
    bool over_ = false;
};

}  // namespace flashsale::test
