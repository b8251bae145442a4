namespace LightTts;

/// <summary>What the language model is given of the voice beside the text.</summary>
public enum SynthesisKind
{
    /// <summary><see cref="Instructed"/> where there is an instruction, otherwise <see cref="ZeroShot"/> where it is known what the voice's
    /// reference audio says, otherwise <see cref="CrossLingual"/>.</summary>
    Auto,

    /// <summary>The transcript and the speech tokens of the reference audio: the closest to the voice and its manner.</summary>
    ZeroShot,

    /// <summary>Neither: the sound of the voice without its manner of speaking, for text in another language than the reference audio's.</summary>
    CrossLingual,

    /// <summary>The instruction instead (<see cref="SynthesisRequest.Instruction"/>).</summary>
    Instructed,
}
