import { Component, type ReactNode } from "react";

import { Problem } from "./Problem";

interface Props {
  children: ReactNode;
}

interface State {
  error: Error | null;
}

/** Shows what went wrong in the place of what could not be drawn or loaded. */
export class Fallible extends Component<Props, State> {
  override state: State = { error: null };

  static getDerivedStateFromError = (error: Error): State => ({ error });

  override render() {
    return this.state.error ? <Problem error={this.state.error} /> : this.props.children;
  }
}
