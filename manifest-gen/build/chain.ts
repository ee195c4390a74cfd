/** A list of named steps. Each gets what the steps before it made, and adds its own result. The compiler checks the order. */
export type Chain<Start extends object, Now extends object, Context> = {
  step<Made extends object>(
    name: string,
    run: (soFar: Now, context: Context) => Promise<Made>,
  ): Chain<Start, Now & Made, Context>;
  /** Runs the steps in order; `onStep` is called before each. */
  run(start: Start, context: Context, onStep: (name: string) => void): Promise<Now>;
};

export function begin<Start extends object, Context>(): Chain<Start, Start, Context> {
  return extend<Start, Start, Context>(async (start) => start);
}

function extend<Start extends object, Now extends object, Context>(
  run: Chain<Start, Now, Context>['run'],
): Chain<Start, Now, Context> {
  return {
    run,
    step: (name, make) =>
      extend(async (start, context, onStep) => {
        const soFar = await run(start, context, onStep);
        onStep(name);
        return { ...soFar, ...(await make(soFar, context)) };
      }),
  };
}
