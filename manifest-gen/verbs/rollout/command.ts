import { Command } from 'commander';
import type { Invocation } from '../../../invocation.ts';
import { actionCommands } from './actions.ts';
import { startCommand } from './start.ts';
import { statusCommand } from './status.ts';

/** The verb `release:rollout`: a version reaches some machines first (contract section 8). */
export function createCommand(invocation: Invocation): Command {
  const { stdout, stderr } = invocation;
  const command = new Command('release:rollout')
    .description(
      'Gives a version to some machines first, the same ones for Chocolatey and Scoop, and then to everybody. docs/release/rollouts.md explains plans.',
    )
    .exitOverride()
    .configureOutput({
      writeOut: (line) => void stdout.write(line),
      writeErr: (line) => void stderr.write(line),
    });
  for (const create of [startCommand, statusCommand, ...actionCommands]) {
    command.addCommand(create(invocation).copyInheritedSettings(command));
  }
  return command;
}
