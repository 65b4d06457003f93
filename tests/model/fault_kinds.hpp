#pragma once

// What may go wrong, one thing each; faults.cpp makes plans of them.

#include "world.hpp"

namespace flashsale::model {

void crash_and_restart(world& in, int number);
void stop_for_a_while(world& in, int number);
void fault_of_process(world& in);
void loss_of_redis(world& in);
void fault_of_redis(world& in);
void loss_of_broker(world& in);
void fault_of_broker(world& in);
void fault_of_databases(world& in);
void loss_of_queue(world& in);
void purge_of_queue(world& in);
void slow_link(world& in);
void sleep_of_process(world& in);
void move_of_process(world& in);
void move_of_all(world& in);
void ask_for_rebuild(world& in);
void suspend_shortly(world& in, int number);
void suspend_for_long(world& in, int number);
void flush_the_gate(world& in, int number);
void sleep_for_long(world& in, int number);
void sleep_while_others_move(world& in, int number);
void sleep_alone_while_others_move(world& in, int number);
void others_sleep(world& in, int number);
void lose_both_and_sleep(world& in, int number);

}  // namespace flashsale::model
