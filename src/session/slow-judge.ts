import type { Problem } from "../errors.ts";
import type { JudgeContext } from "../rewrite/judgement.ts";
import type { FromThread } from "./judge-job.ts";
import { refusedParts, type JudgedParts } from "./judged-parts.ts";
import { JudgeThread } from "./judge-thread.ts";
import { JudgingTurn } from "./judging-turn.ts";

export type SlowJudgeOptions = {
  /** Hears of faults in the judgement; must not log the text. */
  readonly failed: (error: unknown) => void;
  /** Milliseconds that a text may take, and those that each megabyte of it adds. */
  readonly deadline?: number;
  readonly deadlinePerMegabyte?: number;
  /** Milliseconds that it may wait for its turn. */
  readonly patience?: number;
  /** Milliseconds after which a thread that has nothing to do is ended, with the memory that it took. */
  readonly idle?: number;
};

/** In bytes; a longer text is judged by one thread only, so that the other is never taken up by such. */
const longText = 256 * 1024;

const megabyte = 1024 * 1024;

type Job = {
  readonly text: Buffer;
  readonly context: JudgeContext;
  readonly settle: (parts: JudgedParts) => void;
  readonly timer: NodeJS.Timeout;
};

function isLong({ text }: Job): boolean {
  return text.length > longText;
}

/** One of the two threads, and what it is at. */
type Lane = {
  readonly takesLong: boolean;
  thread: JudgeThread | undefined;
  job: Job | undefined;
  /** Nobody waits for the job any more. */
  abandoned: boolean;
  /** Ends the job when it takes too long, or the thread when it has been idle for long. */
  timer: NodeJS.Timeout | undefined;
};

const slow: Problem = {
  code: "statement_too_complex",
  message: "the statement takes too long to be judged",
  hint: "Split it into several, or send long lists of values as parameters or with COPY.",
};
const broken: Problem = { ...slow, message: "the statement takes too much memory to be judged" };
const cancelled: Problem = {
  code: "statement_cancelled",
  message: "canceling statement due to user request",
};
const crowded: Problem = {
  code: "judgement_busy",
  message: "too many long statements are waiting to be judged",
  hint: "Try again later.",
};
const closed: Problem = { code: "session_ended", message: "rolegate is stopping" };

/**
 * Judges what would hold up the thread that serves every session: long texts, and those that turned out too complex
 * there. Two threads take them in the order in which they come, of each session one at a time, because a session waits
 * for its verdict. A text that takes too long ends its thread, and another one takes its place.
 */
export class SlowJudge {
  /** What the thread of all sessions has had of it. */
  readonly turn = new JudgingTurn();
  readonly #failed: (error: unknown) => void;
  readonly #deadline: number;
  readonly #deadlinePerMegabyte: number;
  readonly #patience: number;
  readonly #idle: number;
  readonly #waiting: Job[] = [];
  readonly #lanes: readonly Lane[] = [false, true].map((takesLong) => ({
    takesLong,
    thread: undefined,
    job: undefined,
    abandoned: false,
    timer: undefined,
  }));

  constructor(options: SlowJudgeOptions) {
    this.#failed = options.failed;
    this.#deadline = options.deadline ?? 10_000;
    this.#deadlinePerMegabyte = options.deadlinePerMegabyte ?? 250;
    this.#patience = options.patience ?? 30_000;
    this.#idle = options.idle ?? 30_000;
  }

  /**
   * The verdict, within the deadline once it is the text's turn. Never rejects.
   * @param text as the client sent it; not changed, and copied.
   * @param abandon as soon as nobody waits for it, the verdict is that it was cancelled.
   */
  judge(text: Buffer, context: JudgeContext, abandon: AbortSignal): Promise<JudgedParts> {
    return new Promise((resolve) => {
      const give = (problem: Problem) => settle(refusedParts(problem, text.toString("utf8")));
      const settle = (parts: JudgedParts): void => {
        clearTimeout(timer);
        abandon.removeEventListener("abort", abort);
        resolve(parts);
      };
      const abort = (): void => {
        give(cancelled);
        this.#abandon(job);
      };
      const timer = setTimeout(() => {
        give(crowded);
        this.#abandon(job);
      }, this.#patience);
      const job: Job = { text, context, settle, timer };
      abandon.addEventListener("abort", abort, { once: true });
      this.#waiting.push(job);
      this.#next();
    });
  }

  /** Ends the threads; texts under way are refused. */
  close(): void {
    for (const job of this.#waiting.splice(0)) job.settle(refusedParts(closed, ""));
    for (const lane of this.#lanes) this.#stop(lane, closed);
  }

  /** Gives every thread that is free, or at something that nobody waits for, the next text that it may take. */
  #next(): void {
    for (const lane of this.#lanes) {
      if (lane.job !== undefined && !lane.abandoned) continue;
      const index = this.#choose(lane);
      if (index < 0) continue;
      if (lane.abandoned) this.#stop(lane, cancelled);
      this.#begin(lane, this.#waiting.splice(index, 1)[0]!);
    }
  }

  /** The first text for the lane; the one for long texts takes others only where there is none of these. */
  #choose({ takesLong }: Lane): number {
    const index = this.#waiting.findIndex((job) => isLong(job) === takesLong);
    return index < 0 && takesLong ? this.#waiting.findIndex((job) => !isLong(job)) : index;
  }

  #begin(lane: Lane, job: Job): void {
    clearTimeout(job.timer);
    clearTimeout(lane.timer);
    lane.job = job;
    lane.thread ??= new JudgeThread({
      answered: (answer) => this.#answered(lane, answer),
      broken: (error) => {
        this.#failed(error);
        this.#stop(lane, broken);
        this.#next();
      },
    });
    lane.timer = setTimeout(
      () => {
        this.#stop(lane, slow);
        this.#next();
      },
      this.#deadline + this.#deadlinePerMegabyte * (job.text.length / megabyte),
    );
    const copy = new Uint8Array(job.text.length);
    copy.set(job.text);
    try {
      lane.thread.judge(copy, job.context);
    } catch (error) {
      this.#failed(error);
      this.#stop(lane, { code: "internal", message: "the statement could not be judged" });
    }
  }

  #answered(lane: Lane, { parts, faults }: FromThread): void {
    for (const fault of faults) this.#failed(new Error(fault));
    const { job } = lane;
    lane.job = undefined;
    lane.abandoned = false;
    clearTimeout(lane.timer);
    lane.timer = setTimeout(() => this.#stop(lane, closed), this.#idle).unref();
    job?.settle(parts);
    this.#next();
  }

  #abandon(job: Job): void {
    const index = this.#waiting.indexOf(job);
    if (index >= 0) this.#waiting.splice(index, 1);
    for (const lane of this.#lanes) if (lane.job === job) lane.abandoned = true;
    // Only somebody who waits makes it worth while to end a thread and start another.
    this.#next();
  }

  /** Ends the lane's thread and refuses what it was at. */
  #stop(lane: Lane, problem: Problem): void {
    const { job, thread } = lane;
    clearTimeout(lane.timer);
    lane.job = lane.thread = lane.timer = undefined;
    lane.abandoned = false;
    thread?.end();
    job?.settle(refusedParts(problem, job.text.toString("utf8")));
  }
}
